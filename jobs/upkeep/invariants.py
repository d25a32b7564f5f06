"""What must hold of the rows of `jobs`.

What the database itself enforces is looked at all the same: a constraint may be missing or invalid after a restore or
an interrupted migration.
"""

from functools import partial
from typing import LiteralString

from django.conf import settings
from django.utils.translation import gettext_noop

from jobs.bulk.start import BULK_ACTION
from jobs.bulk.steer import give_jobs
from jobs.kinds import all_kinds
from jobs.lifecycle.counts import OUTCOME
from jobs.models import Attempt, DeadLetter, JobExecution
from jobs.upkeep import mend
from jobs.upkeep.audit import Finding, Invariant, register
from jobs.upkeep.scan import find, scan

#: Seconds for which an expired lease, or an empty one, is in motion: the sweep takes it back within a few.
GRACE = 60.0

_WAITING_TWICE = """
SELECT kind || ' ' || subject || ': ' || count(*) || ' jobs' AS example
  FROM jobs_jobexecution
 WHERE status IN ('queued', 'retrying')
 GROUP BY kind, subject
HAVING count(*) > 1
"""

_WITHOUT_LEASE = """
SELECT job.kind || ' ' || job.subject || ' (' || job.id || '): '
       || coalesce('the lease ended at ' || date_trunc('second', lease.expires_at), 'the lease is gone') AS example
  FROM jobs_jobexecution AS job
  LEFT JOIN jobs_lease AS lease ON lease.id = job.lease_id
 WHERE job.status = 'running'
   AND (lease.id IS NULL OR lease.expires_at < statement_timestamp() - %(grace)s * interval '1 second')
"""

_EMPTY_LEASE = """
SELECT lease.kind || ' on ' || lease.worker || ' since ' || date_trunc('second', lease.claimed_at) AS example
  FROM jobs_lease AS lease
 WHERE lease.claimed_at < statement_timestamp() - %(grace)s * interval '1 second'
   AND NOT EXISTS (SELECT FROM jobs_jobexecution AS job WHERE job.lease_id = lease.id AND job.status = 'running')
"""

#: Its letter of this death. Letters that were settled are pruned, so nothing can be said of jobs that died before.
_WITHOUT_LETTER = """
SELECT job.kind || ' ' || job.subject || ' (' || job.id || '): ' || job.error_class AS example
  FROM jobs_jobexecution AS job
 WHERE job.status = 'dead'
   AND (%(days)s = 0 OR coalesce(job.finished_at, job.created_at) > statement_timestamp() - %(days)s * interval '1 day')
   AND NOT EXISTS (SELECT FROM jobs_deadletter AS letter
                    WHERE letter.job_id = job.id
                      AND letter.last_attempt_at >= coalesce(job.started_at, job.created_at))
"""

_LETTER_OF_NO_DEAD_JOB = """
SELECT letter.kind || ' ' || letter.subject || ' (' || job.id || '): the job is ' || job.status AS example
  FROM jobs_deadletter AS letter
  JOIN jobs_jobexecution AS job ON job.id = letter.job_id
 WHERE letter.resolved_at IS NULL AND job.status <> 'dead'
"""

#: Of runs whose jobs can't have been pruned yet: those go by the time of their end, which comes after the run's begin.
_MISCOUNTED = f"""
WITH run AS (
    SELECT id, made FROM jobs_run
     WHERE %(days)s = 0 OR created_at > statement_timestamp() - %(days)s * interval '1 day'
), actual AS (
    SELECT run_id, {OUTCOME} AS outcome, count(*) AS jobs
      FROM jobs_jobexecution
     WHERE run_id IN (SELECT id FROM run)
     GROUP BY 1, 2
)
SELECT 'run ' || run.id || ': ' || outcome || ' ' || coalesce(counted.jobs, 0) || ', in fact '
       || coalesce(actual.jobs, 0) AS example
  FROM (SELECT * FROM actual WHERE outcome NOT IN ('queued', 'retrying', 'running')) AS actual
  FULL JOIN (SELECT * FROM jobs_runcount WHERE run_id IN (SELECT id FROM run)) AS counted USING (run_id, outcome)
  JOIN run ON run.id = run_id
 WHERE coalesce(counted.jobs, 0) <> coalesce(actual.jobs, 0)
 UNION ALL
SELECT 'run ' || run.id || ': made ' || run.made || ', in fact ' || coalesce(sum(actual.jobs), 0)
  FROM run LEFT JOIN actual ON actual.run_id = run.id
 GROUP BY run.id, run.made
HAVING run.made <> coalesce(sum(actual.jobs), 0)
"""  # noqa: S608 a constant of ours

#: One whose job has just ended without it is settled by the leader within seconds.
_WITHOUT_JOB = """
SELECT bulk.action || ' ' || bulk.id || ' (' || bulk.requested_by || ')' AS example
  FROM jobs_bulkaction AS bulk
 WHERE bulk.state IN ('waiting', 'working')
   AND NOT EXISTS (SELECT FROM jobs_jobexecution AS job
                    WHERE job.subject = bulk.id::text AND job.kind = %(kind)s
                      AND (job.finished_at IS NULL
                           OR job.finished_at > statement_timestamp() - %(grace)s * interval '1 second'))
"""

_UNKNOWN = """
SELECT kind || ' ' || subject AS example
  FROM jobs_jobexecution
 WHERE status IN ('queued', 'retrying') AND kind <> ALL(%(kinds)s)
"""

#: In scans the row at hand is called `row`.
_BADLY_ENDED: LiteralString = """
CASE WHEN row.status IN ('succeeded', 'dead', 'cancelled') THEN row.finished_at IS NULL OR row.lease_id IS NOT NULL
     ELSE row.finished_at IS NOT NULL END
"""
_JOB: LiteralString = "row.kind || ' ' || row.subject || ' (' || row.id || '): ' || row.status"


def _without_letter(limit: int) -> Finding:
    return find(_WITHOUT_LETTER, limit, {"days": settings.RETENTION_DEAD_LETTERS_DAYS})


def _miscounted(limit: int) -> Finding:
    return find(_MISCOUNTED, limit, {"days": settings.RETENTION_JOBS_DAYS})


def _unknown(limit: int) -> Finding:
    return find(_UNKNOWN, limit, {"kinds": [kind.name for kind in all_kinds()]})


def _badly_ended(limit: int) -> Finding:
    return scan(JobExecution, _BADLY_ENDED, _JOB, limit)


def _orphans(limit: int) -> Finding:
    without_job: LiteralString = "NOT EXISTS (SELECT FROM jobs_jobexecution AS job WHERE job.id = row.job_id)"
    without_run: LiteralString = "row.run_id IS NOT NULL AND NOT EXISTS (SELECT FROM jobs_run WHERE id = row.run_id)"
    found = [
        scan(Attempt, without_job, "'attempt ' || row.id || ' without its job'", limit),
        scan(DeadLetter, without_job, "'dead letter ' || row.id || ' without its job'", limit),
        scan(JobExecution, without_run, "'job ' || row.id || ' without its run'", limit),
    ]
    return Finding(sum(each.count for each in found), [line for each in found for line in each.examples][:limit])


register(
    Invariant(
        "one_waiting_job_per_subject",
        gettext_noop("At most one job of a kind waits for a subject."),
        partial(find, _WAITING_TWICE),
        gettext_noop(
            "Cancel all but one in the admin, and REINDEX INDEX jobs_job_one_waiting_per_subject, which refuses them."
        ),
    )
)
register(
    Invariant(
        "running_jobs_have_live_lease",
        gettext_noop("Every running job is held by a lease that has not run out."),
        partial(find, _WITHOUT_LEASE, parameters={"grace": GRACE}),
        gettext_noop("Has them wait again, as the workers' scheduler should have done: see that one is alive."),
        mend.take_back,
    )
)
register(
    Invariant(
        "leases_hold_running_jobs",
        gettext_noop("Every lease holds a running job."),
        partial(find, _EMPTY_LEASE, parameters={"grace": GRACE}),
        gettext_noop("Ends the empty leases, which take up room in their lane."),
        partial(mend.end_empty_leases, GRACE),
    )
)
register(
    Invariant(
        "dead_jobs_have_dead_letter",
        gettext_noop("Every dead job has left a dead letter."),
        _without_letter,
        gettext_noop("Writes the missing dead letters."),
        lambda: mend.bury_again(settings.RETENTION_DEAD_LETTERS_DAYS),
    )
)
register(
    Invariant(
        "open_dead_letters_are_of_dead_jobs",
        gettext_noop("Every dead letter that nobody has settled is of a dead job."),
        partial(find, _LETTER_OF_NO_DEAD_JOB),
        gettext_noop("Resolve them in the admin: their jobs are tried again, or done."),
    )
)
register(
    Invariant(
        "jobs_end_once_finished",
        gettext_noop("Finished jobs, and no others, have a time of their end, and no lease."),
        _badly_ended,
        gettext_noop(
            "Something wrote rows past the life cycle: correct them by SQL. Without an end they are never pruned."
        ),
    )
)
register(
    Invariant(
        "runs_count_their_jobs",
        gettext_noop("The counts of every run whose jobs are all kept are those of its jobs."),
        _miscounted,
        gettext_noop("Counts the jobs anew."),
        lambda: mend.recount(settings.RETENTION_JOBS_DAYS),
    )
)
register(
    Invariant(
        "bulk_actions_under_way_have_job",
        gettext_noop("Every bulk action under way has a job that goes on with it."),
        partial(find, _WITHOUT_JOB, parameters={"kind": BULK_ACTION, "grace": GRACE}),
        gettext_noop("Ends those whose job is dead or cancelled, and makes the others a job."),
        give_jobs,
    )
)
register(
    Invariant(
        "waiting_jobs_are_of_known_kinds",
        gettext_noop("Every waiting job is of a kind that this installation knows."),
        _unknown,
        gettext_noop("Install the app that declares the kind again, or cancel the jobs in the admin."),
    )
)
register(
    Invariant(
        "no_orphans",
        gettext_noop("Every attempt and dead letter has its job, every job of a run its run."),
        _orphans,
        gettext_noop(
            "Foreign keys should have refused them: see that the database has them (manage.py doctor), delete the rows."
        ),
    )
)
