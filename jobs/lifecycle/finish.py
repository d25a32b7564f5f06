"""How an attempt ends: every job of a batch gets its own outcome, all in one short transaction."""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from jobs import clock
from jobs.arrays import uuid_array
from jobs.clean import clean
from jobs.errors import JobError
from jobs.lifecycle import circuit
from jobs.lifecycle.bury import Grave, bury
from jobs.lifecycle.claim import Claim, ClaimedJob
from jobs.lifecycle.counts import count
from jobs.lifecycle.rewait import Ended, end_unfinished
from jobs.lifecycle.tally import tally
from jobs.models import Attempt
from jobs.retry import delay_before_retry


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a job's attempt failed; `stack` is the traceback, empty for an expected failure.

    Whatever ends up here is cleaned of secrets and of what PostgreSQL can't store, however the handler told it.
    """

    error: JobError
    stack: str = ""

    def __post_init__(self) -> None:
        """Clean every text."""
        self.error.message = clean(str(self.error.message))
        for name in ("sample", "quota_id"):
            told = getattr(self.error, name)
            if told is not None:
                setattr(self.error, name, clean(str(told)))
        object.__setattr__(self, "stack", clean(self.stack))


#: Progress of a job whose outcome is stored; the last step of one that succeeded, and of no other.
STORED = 100


@dataclass(frozen=True, slots=True)
class Postponed:
    """Why a job goes back unfinished: for want of budget, because its batch was rejected, or to go on later."""

    #: The most jobs that its next claim may hold; 0: any number.
    split_size: int = 0
    #: Seconds until it is due; None: it keeps its place.
    delay: float | None = None


Outcome = str | Failure | Postponed
#: Stores what the batch produced, in the transaction that ends its jobs. Gets the jobs that are still ours, and may
#: replace outcomes.
Write = Callable[[Collection[UUID]], Mapping[UUID, Outcome]]

#: Whoever ends a lease locks it before its jobs: in another order two of them would deadlock.
_LOCK_LEASE = "SELECT id FROM jobs_lease WHERE id = %s FOR UPDATE"

_HOLD = """
SELECT id FROM jobs_jobexecution
 WHERE lease_id = %s AND status = 'running' AND id = ANY(%s::uuid[])
 ORDER BY id FOR UPDATE
"""

_SUCCEED = """
UPDATE jobs_jobexecution AS job
   SET status = 'succeeded', result = ended.result, finished_at = statement_timestamp(), steps = %(steps)s::jsonb,
       deliveries = 0, split_size = 0, lease_id = NULL, error_class = '', error = ''
  FROM unnest(%(ids)s::uuid[], %(results)s::text[]) AS ended (id, result)
 WHERE job.id = ended.id AND job.lease_id = %(lease_id)s AND job.status = 'running'
"""


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
    with transaction.atomic():
        held = _held(claimed.lease_id, outcomes)
        final: dict[UUID, Outcome] = {job_id: outcome for job_id, outcome in outcomes.items() if job_id in held}
        if write is not None and held:
            final.update({job_id: outcome for job_id, outcome in write(held).items() if job_id in held})
        succeeded = {job_id: outcome for job_id, outcome in final.items() if isinstance(outcome, str)}
        failed = {jobs[job_id]: outcome for job_id, outcome in final.items() if isinstance(outcome, Failure)}
        _succeed(claimed, succeeded, json.dumps(list(steps)))
        for status in _fail(claimed, failed, json.dumps([step for step in steps if step["progress"] < STORED])):
            counts[status] = counts.get(status, 0) + 1
        for status in _postpone(claimed, [jobs[job_id] for job_id in final if job_id not in succeeded], final):
            counts[status] = counts.get(status, 0) + 1
        if any(job.run_id for job in claimed.jobs):
            count(list(final))
        tally([job_id for job_id, outcome in final.items() if not isinstance(outcome, Postponed)])
        circuit.note(claimed.kind, [failure.error for failure in failed.values()], succeeded=bool(succeeded))
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


def _held(lease_id: UUID, ids: Iterable[UUID]) -> set[UUID]:
    """Lock and return those of `ids` that still run under the lease."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_LEASE, [lease_id])
        cursor.execute(_HOLD, [lease_id, uuid_array(ids)])
        return {row[0] for row in cursor.fetchall()}


def _judge(claimed: Claim, job: ClaimedJob, failure: Failure, trail: str) -> Ended:
    """Look a failure up in the retry table of its kind."""
    error = failure.error
    rule = claimed.kind.retry[error.error_class]
    rate_limits = job.rate_limits + rule.counted_apart
    used = rate_limits if rule.counted_apart else job.attempt
    retries = job.max_retries if rule.retries is None else rule.retries
    again = rule.retried and used <= retries
    return Ended(
        id=job.id,
        kind=claimed.kind.name,
        subject=job.subject,
        lease_id=claimed.lease_id,
        status="retrying" if again else "dead",
        attempt=job.attempt + (again and not rule.counted_apart),
        rate_limits=rate_limits,
        deliveries=0,
        delay=delay_before_retry(rule, attempt=job.attempt, retry_after=error.retry_after) if again else 0.0,
        error_class=error.error_class,
        error=error.message,
        steps=trail,
    )


def _succeed(claimed: Claim, succeeded: Mapping[UUID, Outcome], trail: str) -> None:
    if not succeeded:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            _SUCCEED,
            {
                "ids": uuid_array(succeeded),
                "results": list(succeeded.values()),
                "steps": trail,
                "lease_id": claimed.lease_id,
            },
        )
        if cursor.rowcount != len(succeeded):
            raise IntegrityError(f"{len(succeeded)} jobs were held but {cursor.rowcount} ended")


def _postpone(claimed: Claim, jobs: Iterable[ClaimedJob], final: Mapping[UUID, Outcome]) -> list[str]:
    """Give jobs back unfinished, with no attempt consumed; return the states that they are in now."""
    ended = [
        Ended(
            id=job.id,
            kind=claimed.kind.name,
            subject=job.subject,
            lease_id=claimed.lease_id,
            status="queued",
            attempt=job.attempt,
            rate_limits=job.rate_limits,
            deliveries=0,
            delay=outcome.delay,
            split_size=outcome.split_size,
        )
        for job in jobs
        if isinstance(outcome := final[job.id], Postponed)
    ]
    return list(end_unfinished(ended).values())


def _fail(claimed: Claim, failures: Mapping[ClaimedJob, Failure], trail: str) -> list[str]:
    """Write failed attempts, retries and dead letters; return the states that the jobs are in now."""
    if not failures:
        return []
    now = clock.now()
    Attempt.objects.bulk_create(
        Attempt(
            job_id=job.id,
            number=job.attempt,
            started_at=job.started_at,
            finished_at=now,
            error_class=failure.error.error_class,
            error=failure.error.message,
            status_code=failure.error.status_code,
            worker=claimed.worker,
        )
        for job, failure in failures.items()
    )
    states = end_unfinished([_judge(claimed, job, failure, trail) for job, failure in failures.items()])
    bury(
        Grave(
            job_id=job.id,
            error=failure.error,
            stack=failure.stack,
            attempts=job.attempt + job.rate_limits,
            last_attempt_at=job.started_at,
        )
        for job, failure in failures.items()
        if states[job.id] == "dead"
    )
    return list(states.values())
