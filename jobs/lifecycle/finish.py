"""How an attempt ends: every job of a batch gets its own outcome, all in one short transaction."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from jobs.errors import JobError
from jobs.lifecycle import circuit
from jobs.lifecycle.bury import Grave, bury
from jobs.lifecycle.claim import Claim, ClaimedJob
from jobs.models import Attempt
from jobs.retry import delay_before_retry


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a job's attempt failed; `stack` is the cleaned traceback, empty for an expected failure."""

    error: JobError
    stack: str = ""


@dataclass(frozen=True, slots=True)
class Postponed:
    """Why a job goes back unfinished: it was not sent, for want of budget or because its batch was rejected."""

    #: The most jobs that its next claim may hold; 0: any number.
    split_size: int = 0


Outcome = str | Failure | Postponed
#: Stores what the batch produced, in the transaction that ends its jobs. Gets the jobs that are still ours, and may
#: replace outcomes.
Write = Callable[[Collection[UUID]], Mapping[UUID, Outcome]]

_HOLD = """
SELECT id FROM jobs_jobexecution
 WHERE lease_id = %s AND status = 'running' AND id = ANY(%s)
 ORDER BY id FOR UPDATE
"""

_SUCCEED = """
UPDATE jobs_jobexecution AS job
   SET status = 'succeeded', result = ended.result, finished_at = statement_timestamp(), steps = %(steps)s::jsonb,
       deliveries = 0, split_size = 0, lease_id = NULL, error_class = '', error = ''
  FROM unnest(%(ids)s::uuid[], %(results)s::text[]) AS ended (id, result)
 WHERE job.id = ended.id AND job.lease_id = %(lease_id)s AND job.status = 'running'
"""

#: Back to waiting, due at once, with no attempt consumed.
_POSTPONE = """
UPDATE jobs_jobexecution AS job
   SET status = CASE WHEN newer.id IS NULL THEN 'queued' ELSE 'cancelled' END,
       result = CASE WHEN newer.id IS NULL THEN '' ELSE 'superseded' END,
       finished_at = CASE WHEN newer.id IS NULL THEN NULL ELSE statement_timestamp() END,
       deliveries = 0, lease_id = NULL, split_size = ended.split_size
  FROM unnest(%(ids)s::uuid[], %(split_sizes)s::int[]) AS ended (id, split_size)
  JOIN jobs_jobexecution AS self ON self.id = ended.id
  LEFT JOIN jobs_jobexecution AS newer
    ON newer.kind = self.kind AND newer.subject = self.subject AND newer.status IN ('queued', 'retrying')
 WHERE job.id = ended.id AND job.lease_id = %(lease_id)s AND job.status = 'running'
RETURNING job.id, job.status
"""

#: A failed job whose subject has a newer waiting job is not tried again: the newer one does the work.
_FAIL = """
UPDATE jobs_jobexecution AS job
   SET status = CASE WHEN newer.id IS NULL THEN ended.status ELSE 'cancelled' END,
       result = CASE WHEN newer.id IS NULL THEN '' ELSE 'superseded' END,
       attempt = ended.attempt, rate_limits = ended.rate_limits, deliveries = 0, split_size = 0, lease_id = NULL,
       error_class = ended.error_class, error = ended.error, steps = %(steps)s::jsonb,
       next_attempt_at = statement_timestamp() + ended.delay * interval '1 second',
       finished_at = CASE WHEN newer.id IS NULL AND ended.status = 'retrying' THEN NULL ELSE statement_timestamp() END
  FROM unnest(%(ids)s::uuid[], %(statuses)s::text[], %(attempts)s::int[], %(rate_limits)s::int[],
              %(error_classes)s::text[], %(errors)s::text[], %(delays)s::float[])
       AS ended (id, status, attempt, rate_limits, error_class, error, delay)
  JOIN jobs_jobexecution AS self ON self.id = ended.id
  LEFT JOIN jobs_jobexecution AS newer
    ON newer.kind = self.kind AND newer.subject = self.subject AND newer.status IN ('queued', 'retrying')
 WHERE job.id = ended.id AND job.lease_id = %(lease_id)s AND job.status = 'running'
RETURNING job.id, job.status
"""


@dataclass(frozen=True, slots=True)
class _Ending:
    """What the retry table says of one failure."""

    job: ClaimedJob
    failure: Failure
    status: str
    attempt: int
    rate_limits: int
    delay: float


def finish(
    claimed: Claim,
    outcomes: Mapping[UUID, Outcome],
    *,
    steps: Sequence[Mapping[str, Any]],
    write: Write | None = None,
) -> dict[str, int]:
    """End the attempts of `claimed` as `outcomes` says and give the lease back; count the states they ended in.

    Jobs of the claim without an outcome stay under the lease. Jobs that the lease no longer holds are left alone and
    counted as `lost`.
    """
    counts: dict[str, int] = {}
    jobs = {job.id: job for job in claimed.jobs}
    trail = json.dumps(list(steps))
    with transaction.atomic():
        held = _held(claimed.lease_id, list(outcomes))
        final: dict[UUID, Outcome] = {job_id: outcome for job_id, outcome in outcomes.items() if job_id in held}
        if write is not None and held:
            final.update({job_id: outcome for job_id, outcome in write(held).items() if job_id in held})
        succeeded = {job_id: outcome for job_id, outcome in final.items() if isinstance(outcome, str)}
        failed = [_judge(claimed, jobs[job_id], end) for job_id, end in final.items() if isinstance(end, Failure)]
        _succeed(claimed, succeeded, trail)
        for status in _fail(claimed, failed, trail) + _postpone(claimed, final):
            counts[status] = counts.get(status, 0) + 1
        circuit.note(claimed.kind, [ending.failure.error for ending in failed], succeeded=bool(succeeded))
        with connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM jobs_lease WHERE id = %s AND NOT EXISTS"
                " (SELECT FROM jobs_jobexecution WHERE lease_id = %s AND status = 'running')",
                [claimed.lease_id, claimed.lease_id],
            )
    if succeeded:
        counts["succeeded"] = len(succeeded)
    if len(held) < len(outcomes):
        counts["lost"] = len(outcomes) - len(held)
    return counts


def _held(lease_id: UUID, ids: list[UUID]) -> set[UUID]:
    """Lock and return those of `ids` that still run under the lease."""
    with connection.cursor() as cursor:
        cursor.execute(_HOLD, [lease_id, ids])
        return {row[0] for row in cursor.fetchall()}


def _judge(claimed: Claim, job: ClaimedJob, failure: Failure) -> _Ending:
    """Look a failure up in the retry table of its kind."""
    rule = claimed.kind.retry[failure.error.error_class]
    rate_limits = job.rate_limits + rule.counted_apart
    used = rate_limits if rule.counted_apart else job.attempt
    retries = job.max_retries if rule.retries is None else rule.retries
    again = rule.retried and used <= retries
    return _Ending(
        job=job,
        failure=failure,
        status="retrying" if again else "dead",
        attempt=job.attempt + (again and not rule.counted_apart),
        rate_limits=rate_limits,
        delay=delay_before_retry(rule, attempt=job.attempt, retry_after=failure.error.retry_after) if again else 0.0,
    )


def _succeed(claimed: Claim, succeeded: Mapping[UUID, Outcome], trail: str) -> None:
    if not succeeded:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            _SUCCEED,
            {
                "ids": list(succeeded),
                "results": list(succeeded.values()),
                "steps": trail,
                "lease_id": claimed.lease_id,
            },
        )
        if cursor.rowcount != len(succeeded):
            raise IntegrityError(f"{len(succeeded)} jobs were held but {cursor.rowcount} ended")


def _postpone(claimed: Claim, final: Mapping[UUID, Outcome]) -> list[str]:
    """Give jobs back unfinished; return the states that they are in now."""
    postponed = {job_id: outcome for job_id, outcome in final.items() if isinstance(outcome, Postponed)}
    if not postponed:
        return []
    parameters = {
        "ids": list(postponed),
        "split_sizes": [outcome.split_size for outcome in postponed.values()],
        "lease_id": claimed.lease_id,
    }
    return [status for _, status in execute_until_settled(_POSTPONE, parameters)]


def _fail(claimed: Claim, endings: Sequence[_Ending], trail: str) -> list[str]:
    """Write failed attempts, retries and dead letters; return the states that the jobs are in now."""
    if not endings:
        return []
    now = _now()
    Attempt.objects.bulk_create(
        Attempt(
            job_id=ending.job.id,
            number=ending.job.attempt,
            started_at=ending.job.started_at,
            finished_at=now,
            error_class=ending.failure.error.error_class,
            error=ending.failure.error.message,
            status_code=ending.failure.error.status_code,
            worker=claimed.worker,
        )
        for ending in endings
    )
    parameters = {
        "ids": [ending.job.id for ending in endings],
        "statuses": [ending.status for ending in endings],
        "attempts": [ending.attempt for ending in endings],
        "rate_limits": [ending.rate_limits for ending in endings],
        "error_classes": [ending.failure.error.error_class.value for ending in endings],
        "errors": [ending.failure.error.message for ending in endings],
        "delays": [ending.delay for ending in endings],
        "steps": trail,
        "lease_id": claimed.lease_id,
    }
    states = dict(execute_until_settled(_FAIL, parameters))
    bury(
        Grave(
            job_id=ending.job.id,
            error=ending.failure.error,
            stack=ending.failure.stack,
            last_attempt_at=ending.job.started_at,
        )
        for ending in endings
        if states.get(ending.job.id) == "dead"
    )
    return list(states.values())


#: A save may make a waiting job for a subject between our look for one and our own return to waiting; the unique
#: index then refuses us, and the next look sees it.
_SETTLE_TRIES = 5


def execute_until_settled(statement: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Run a statement that makes jobs wait again, repeated while newer waiting jobs slip in; return its rows."""
    for attempt in range(_SETTLE_TRIES):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement, parameters)
                return list(cursor.fetchall())
        except IntegrityError:
            if attempt == _SETTLE_TRIES - 1:
                raise
    raise AssertionError("unreachable")


def _now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment
