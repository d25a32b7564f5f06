"""What people may do with a job: cancel one that waits, try a dead one again."""

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from jobs.actor import Actor
from jobs.lifecycle.finish import execute_until_settled
from jobs.models import DeadLetter, JobExecution
from jobs.states import WAITING, Operation, Status


class StateConflict(Exception):
    """The job is not in a state that allows this; the message says which one it is in."""


def cancel(job_id: UUID, *, reason: str) -> None:
    """Call a waiting job off; `StateConflict` when it does not wait (any more)."""
    changed = JobExecution.objects.filter(id=job_id, status__in=WAITING).update(
        status=Status.CANCELLED, result=reason, finished_at=Now()
    )
    if not changed:
        status = JobExecution.objects.values_list("status", flat=True).get(id=job_id)
        raise StateConflict(f"The job is {status}: only a queued or retrying job can be cancelled.")


def cancel_waiting(subjects: Sequence[UUID | str], *, reason: str) -> int:
    """Call off every waiting job on `subjects`, of any kind; return how many there were."""
    return JobExecution.objects.filter(subject__in=[str(subject) for subject in subjects], status__in=WAITING).update(
        status=Status.CANCELLED, result=reason, finished_at=Now()
    )


_RETRY = """
WITH wanted AS (
    SELECT job.id FROM jobs_jobexecution AS job
     WHERE job.id = ANY(%(ids)s) AND job.status = 'dead'
       AND NOT EXISTS (SELECT FROM jobs_jobexecution AS newer
                        WHERE newer.kind = job.kind AND newer.subject = job.subject
                          AND newer.status IN ('queued', 'retrying'))
     ORDER BY job.id FOR UPDATE
)
UPDATE jobs_jobexecution AS job
   SET status = 'queued', operation = %(operation)s, result = '', attempt = 1, rate_limits = 0, deliveries = 0,
       error_class = '', error = '', worker = '', steps = '[]', started_at = NULL, finished_at = NULL, split_size = 0,
       next_attempt_at = statement_timestamp(),
       metadata = metadata || jsonb_build_object(
           'triggered_by', %(triggered_by)s::text, 'source', %(source)s::text,
           'triggered_at', to_char(statement_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
  FROM wanted
 WHERE job.id = wanted.id AND job.status = 'dead'
RETURNING job.id, job.kind
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
        raise StateConflict("A newer job already waits for the same subject; it does the work.")
    raise StateConflict(f"The job is {status}: only a dead job can be retried.")


def retry_many(job_ids: Sequence[UUID], *, actor: Actor) -> dict[str, int]:
    """Make those of the jobs wait again that are dead and have no newer waiting job; count them by kind.

    Of dead jobs on one subject only one can wait. Their open dead letters are settled as retried in the same
    transaction.
    """
    parameters = {
        "ids": _one_per_subject(job_ids),
        "operation": Operation.RETRY,
        "triggered_by": actor.triggered_by,
        "source": actor.source,
    }
    with transaction.atomic():
        rows = execute_until_settled(_RETRY, parameters)
        DeadLetter.objects.filter(job_id__in=[row[0] for row in rows], resolved_at__isnull=True).update(
            resolution=DeadLetter.Resolution.RETRIED, resolved_at=Now(), resolved_by=actor.triggered_by
        )
    return dict(Counter(kind for _, kind in rows))


def _one_per_subject(job_ids: Sequence[UUID]) -> list[UUID]:
    """Return the newest dead job of each (kind, subject) among `job_ids`."""
    dead = JobExecution.objects.filter(id__in=job_ids, status=Status.DEAD)
    return list(
        dead.order_by("kind", "subject", "-created_at").distinct("kind", "subject").values_list("id", flat=True)
    )
