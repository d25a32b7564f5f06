"""Repairs of the rows of `jobs`, by the means of the life cycle: each is safe beside running workers, and twice."""

from typing import Final

from django.db import connection, transaction
from django.db.models.functions import Now

from jobs.errors import JobError, ServerError
from jobs.lifecycle import take_back_expired
from jobs.lifecycle.bury import Grave, bury
from jobs.lifecycle.counts import OUTCOME
from jobs.models import Lease

#: Dead letters that are written in one transaction.
CHUNK = 500

#: A lease that has run out is what the sweep can work with.
_LEASES_ANEW = """
INSERT INTO jobs_lease (id, kind, worker, size, expires_at)
SELECT job.lease_id, min(job.kind), min(job.worker), least(count(*), 32767), statement_timestamp()
  FROM jobs_jobexecution AS job
 WHERE job.status = 'running' AND NOT EXISTS (SELECT FROM jobs_lease WHERE id = job.lease_id)
 GROUP BY job.lease_id
    ON CONFLICT DO NOTHING
"""

_EXPIRE_EMPTY = """
UPDATE jobs_lease AS lease SET expires_at = statement_timestamp()
 WHERE lease.claimed_at < statement_timestamp() - %s * interval '1 second'
   AND NOT EXISTS (SELECT FROM jobs_jobexecution AS job WHERE job.lease_id = lease.id AND job.status = 'running')
"""

_UNBURIED = """
SELECT job.id, job.error_class, job.error, job.attempt + job.rate_limits, coalesce(job.started_at, job.created_at)
  FROM jobs_jobexecution AS job
 WHERE job.status = 'dead'
   AND (%(days)s = 0 OR coalesce(job.finished_at, job.created_at) > statement_timestamp() - %(days)s * interval '1 day')
   AND NOT EXISTS (SELECT FROM jobs_deadletter AS letter
                    WHERE letter.job_id = job.id
                      AND letter.last_attempt_at >= coalesce(job.started_at, job.created_at))
 ORDER BY job.id
 LIMIT %(limit)s
   FOR UPDATE OF job SKIP LOCKED
"""

#: Whoever ends a job counts it before that is committed: with all of them done or waiting, rows and counts agree.
_HOLD_COUNTS = "LOCK TABLE jobs_run, jobs_runcount IN SHARE ROW EXCLUSIVE MODE"

_RECENT = f"""
CREATE TEMPORARY TABLE recounted ON COMMIT DROP AS
SELECT run.id AS run_id, outcome, jobs
  FROM jobs_run AS run
  LEFT JOIN (SELECT run_id, {OUTCOME} AS outcome, count(*) AS jobs
               FROM jobs_jobexecution WHERE run_id IS NOT NULL GROUP BY 1, 2) AS actual ON actual.run_id = run.id
 WHERE %(days)s = 0 OR run.created_at > statement_timestamp() - %(days)s * interval '1 day'
"""  # noqa: S608 a constant of ours

_RECOUNT = """
WITH right_counts AS (
    SELECT * FROM recounted WHERE outcome NOT IN ('queued', 'retrying', 'running')
), gone AS (
    UPDATE jobs_runcount AS counted SET jobs = 0
     WHERE jobs <> 0 AND run_id IN (SELECT run_id FROM recounted)
       AND NOT EXISTS (SELECT FROM right_counts AS of_run
                        WHERE of_run.run_id = counted.run_id AND of_run.outcome = counted.outcome)
    RETURNING run_id
), written AS (
    INSERT INTO jobs_runcount AS counted (run_id, outcome, jobs) SELECT run_id, outcome, jobs FROM right_counts
        ON CONFLICT (run_id, outcome) DO UPDATE SET jobs = excluded.jobs WHERE counted.jobs <> excluded.jobs
    RETURNING run_id
), remade AS (
    UPDATE jobs_run AS run SET made = summed.jobs
      FROM (SELECT run_id, coalesce(sum(jobs), 0) AS jobs FROM recounted GROUP BY run_id) AS summed
     WHERE run.id = summed.run_id AND run.made <> summed.jobs
    RETURNING run.id
)
SELECT count(*) FROM (SELECT * FROM gone UNION SELECT * FROM written UNION SELECT * FROM remade) AS changed
"""

_ERRORS: Final[dict[str, type[JobError]]] = {error.error_class: error for error in JobError.__subclasses__()}


def take_back() -> int:
    """Have the jobs of leases that ran out or are gone wait again; return how many jobs did."""
    with connection.cursor() as cursor:
        cursor.execute(_LEASES_ANEW)
    return _sweep()


def end_empty_leases(grace: float) -> int:
    """End the leases of more than `grace` seconds that hold no running job; return how many there were."""
    with connection.cursor() as cursor:
        cursor.execute(_EXPIRE_EMPTY, [grace])
        ended = int(cursor.rowcount)
    _sweep()
    return ended


def _sweep() -> int:
    """Take back all leases that have run out by now, those that another sweep has in hand excepted."""
    taken = 0
    before = -1
    while (left := Lease.objects.filter(expires_at__lte=Now()).count()) and left != before:
        before = left
        taken += take_back_expired()
    return taken


def bury_again(days: float) -> int:
    """Write dead letters for jobs that died within `days` (0: ever) and left none; return how many."""
    written = 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_UNBURIED, {"days": days, "limit": CHUNK})
            graves = [
                Grave(
                    job_id=job_id,
                    error=_ERRORS.get(error_class, ServerError)(error),
                    stack="",
                    attempts=attempts,
                    last_attempt_at=last_attempt_at,
                )
                for job_id, error_class, error, attempts, last_attempt_at in cursor.fetchall()
            ]
            bury(graves)
        written += len(graves)
        if len(graves) < CHUNK:
            return written


def recount(days: float) -> int:
    """Count the jobs of the runs of the last `days` (0: of all) anew; return how many runs were counted wrongly.

    No job of a run can end meanwhile: for the length of one pass over the jobs of all runs.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_HOLD_COUNTS)
        cursor.execute(_RECENT, {"days": days})
        cursor.execute(_RECOUNT)
        runs = int(cursor.fetchone()[0])
        cursor.execute("DROP TABLE recounted")
    return runs
