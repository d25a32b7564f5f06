"""What people may do with a job: cancel one that waits, try a dead one again."""

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from jobs.actor import Actor
from jobs.lifecycle.counts import count, uncount
from jobs.lifecycle.rewait import make_wait
from jobs.lifecycle.tally import tally
from jobs.models import DeadLetter, JobExecution
from jobs.states import WAITING, Operation, Status


class StateConflict(Exception):
    """The job is not in a state that allows this; the message says which one it is in."""


#: Why a job was cancelled whose run was stopped.
RUN_STOPPED = gettext_noop("run stopped")

#: Why a job was cancelled that a person cancelled; who it was stands in its metadata.
BY_A_PERSON = gettext_noop("by a person")

_CANCEL = """
UPDATE jobs_jobexecution
   SET status = 'cancelled', result = %(reason)s, finished_at = statement_timestamp(),
       metadata = metadata || jsonb_build_object('cancelled_by', %(by)s::text)
 WHERE id = ANY(%(ids)s) AND status IN ('queued', 'retrying')
RETURNING id
"""


def cancel(job_id: UUID, *, by: str) -> None:
    """Call a waiting job off in a person's name; `StateConflict` when it does not wait (any more)."""
    if not cancel_many([job_id], by=by):
        status = JobExecution.objects.values_list("status", flat=True).get(id=job_id)
        told = _("The job is %(status)s: only a queued or retrying job can be cancelled.")
        raise StateConflict(told % {"status": _(status)})


def cancel_many(job_ids: Sequence[UUID], *, by: str) -> list[UUID]:
    """Call those of the jobs off that wait, in a person's name; return which ones."""
    with transaction.atomic(), connection.cursor() as cursor:
        waiting = JobExecution.objects.filter(id__in=job_ids, status__in=WAITING)
        ids = list(waiting.order_by("kind", "subject").select_for_update().values_list("id", flat=True))
        cursor.execute(_CANCEL, {"ids": ids, "by": by, "reason": BY_A_PERSON})
        cancelled = [row[0] for row in cursor.fetchall()]
        count(cancelled)
        tally(cancelled)
    return cancelled


def cancel_waiting(subjects: Sequence[UUID | str], *, reason: str) -> int:
    """Call off every waiting job on `subjects`, of any kind; `reason` is a few words. Return how many there were."""
    return _call_off(JobExecution.objects.filter(subject__in=[str(subject) for subject in subjects]), reason)


def cancel_run(run_id: UUID) -> int:
    """Call off every waiting job that nobody but a run asked for; return how many there were."""
    return _call_off(JobExecution.objects.filter(run_id=run_id, operation=Operation.BULK), RUN_STOPPED)


def free_from_run(run_id: UUID) -> int:
    """Take the waiting jobs of a run out of it that others asked for too; return how many. They go on waiting."""
    with transaction.atomic():
        shared = JobExecution.objects.filter(run_id=run_id, status__in=WAITING).exclude(operation=Operation.BULK)
        locked = shared.order_by("kind", "subject").select_for_update()
        return JobExecution.objects.filter(id__in=list(locked.values_list("id", flat=True))).update(run=None)


def _call_off(jobs: QuerySet[JobExecution], reason: str) -> int:
    """Cancel those of the jobs that wait, locked in the order in which all others lock them."""
    with transaction.atomic():
        waiting = jobs.filter(status__in=WAITING).order_by("kind", "subject").select_for_update()
        ids = list(waiting.values_list("id", flat=True))
        JobExecution.objects.filter(id__in=ids).update(status=Status.CANCELLED, result=reason, finished_at=Now())
        count(ids)
        tally(ids)
    return len(ids)


def leave_run(run_id: UUID) -> list[str]:
    """Take the jobs that were called off with their run out of it; return their subjects.

    Call it in a transaction: the run makes new jobs in their place.
    """
    left = JobExecution.objects.filter(run_id=run_id, status=Status.CANCELLED, result=RUN_STOPPED)
    subjects = dict(left.values_list("id", "subject"))
    uncount(list(subjects))
    JobExecution.objects.filter(id__in=list(subjects)).update(run=None)
    return list(subjects.values())


_DEAD = """
SELECT id, kind FROM jobs_jobexecution
 WHERE id = ANY(%s) AND status = 'dead'
 ORDER BY kind, subject, created_at DESC, id
   FOR UPDATE
"""

#: Of several dead jobs on one subject the newest waits; the others stay dead. Every row is there already, so nothing is
#: ever inserted: `INSERT ... SELECT ... ORDER BY` is the one statement that is sure to write rows in a given order, and
#: that has to be the order of `enter`.
_RETRY = """
INSERT INTO jobs_jobexecution AS job (id, kind, subject, operation)
SELECT id, kind, subject, %(operation)s
  FROM (SELECT DISTINCT ON (kind, subject) id, kind, subject
          FROM jobs_jobexecution
         WHERE id = ANY(%(ids)s) AND status = 'dead'
         ORDER BY kind, subject, created_at DESC, id) AS dead
 WHERE NOT EXISTS (SELECT FROM jobs_jobexecution AS other
                    WHERE other.kind = dead.kind AND other.subject = dead.subject
                      AND other.status IN ('queued', 'retrying'))
 ORDER BY kind, subject
    ON CONFLICT (id) DO UPDATE
   SET status = 'queued', operation = excluded.operation, result = '', attempt = 1, rate_limits = 0, deliveries = 0,
       error_class = '', error = '', worker = '', steps = '[]', started_at = NULL, finished_at = NULL, split_size = 0,
       next_attempt_at = statement_timestamp(),
       metadata = job.metadata || jsonb_build_object(
           'triggered_by', %(triggered_by)s::text, 'source', %(source)s::text,
           'triggered_at', to_char(statement_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
 WHERE job.status = 'dead'
RETURNING job.id
"""


def retry(job_id: UUID, *, actor: Actor) -> None:
    """Make a dead job wait again, as operation `retry` with a fresh attempt counter.

    Its open dead letter is settled as retried in the same transaction. Raises `StateConflict` when the job is in
    another state, or when a newer job already waits for the same subject.
    """
    if retry_many([job_id], actor=actor):
        return
    status = JobExecution.objects.values_list("status", flat=True).get(id=job_id)
    if status == Status.DEAD:
        raise StateConflict(_("A newer job already waits for the same subject; it does the work."))
    raise StateConflict(_("The job is %(status)s: only a dead job can be retried.") % {"status": _(status)})


def retry_many(job_ids: Sequence[UUID], *, actor: Actor) -> dict[str, int]:
    """Make those of the jobs wait again that are dead and have no newer waiting job; count them by kind.

    Of dead jobs on one subject only one can wait. Their open dead letters are settled as retried in the same
    transaction.
    """
    asked = {"operation": Operation.RETRY, "triggered_by": actor.triggered_by, "source": actor.source}
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_DEAD, [list(job_ids)])
            kinds = dict(cursor.fetchall())
        uncount(list(kinds))
        waiting = [row[0] for row in make_wait(_RETRY, {"ids": list(kinds), **asked})] if kinds else []
        count(list(kinds))
        DeadLetter.objects.filter(job_id__in=waiting, resolved_at__isnull=True).update(
            resolution=DeadLetter.Resolution.RETRIED, resolved_at=Now(), resolved_by=actor.triggered_by
        )
    return dict(Counter(kinds[job_id] for job_id in waiting))
