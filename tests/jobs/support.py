"""What the tests of `jobs` share besides fixtures."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from django.utils import timezone

from jobs.batch import Batch
from jobs.broker import redis
from jobs.enqueue import enqueue
from jobs.errors import JobError, NetworkError
from jobs.execute import run_lane
from jobs.kinds import Kind
from jobs.lifecycle import Claim, Failure, claim, finish
from jobs.lifecycle.finish import Outcome
from jobs.models import JobExecution, Lane, Lease
from jobs.states import Status
from jobs.wake import _broker

#: The id of nothing. A fixed one: processes that share the tests have to name them alike.
NOBODY = UUID("00000000-0000-4000-8000-000000000000")

MakeKind = Callable[..., Kind]


def sender() -> redis.WakeBroker:
    """Return this process's sending side, which is Redis's where no test says otherwise."""
    return cast(redis.WakeBroker, _broker())


def do_nothing(batch: Batch) -> None:
    """Handle a batch by returning."""


def waiting(kind: Kind, *subjects: str, **changes: Any) -> list[JobExecution]:
    """Make waiting jobs, the first one the oldest."""
    made = []
    for subject in subjects:
        job_id = enqueue(kind.name, subject=subject).job_id
        if changes:
            JobExecution.objects.filter(id=job_id).update(**changes)
        made.append(JobExecution.objects.get(id=job_id))
    return made


def claimed(kind: Kind, *subjects: str, worker: str = "w1", **changes: Any) -> Claim:
    """Make jobs and claim them."""
    waiting(kind, *subjects, **changes)
    return must_claim(kind, worker=worker)


def must_claim(kind: Kind, worker: str = "w1") -> Claim:
    """Claim what is due, of which there must be something."""
    found = claim(kind, worker=worker)
    assert found is not None
    return found


def end(claim: Claim, outcome: "str | JobError | Mapping[UUID, Outcome]" = "done", **options: Any) -> dict[str, int]:
    """Finish all jobs of a claim the same way, or as a mapping says."""
    if isinstance(outcome, Mapping):
        outcomes: dict[UUID, Outcome] = dict(outcome)
    else:
        made = Failure(outcome) if isinstance(outcome, JobError) else outcome
        outcomes = {job.id: made for job in claim.jobs}
    return finish(claim, outcomes, steps=options.pop("steps", []), **options)


def network_failure() -> NetworkError:
    """Return a failure that is retried."""
    return NetworkError("connection refused", status_code=None)


def long_ago(seconds: float = 3600) -> Any:
    """Return a moment in the past."""
    return timezone.now() - timedelta(seconds=seconds)


def ahead(seconds: float = 3600) -> Any:
    """Return a moment in the future."""
    return timezone.now() + timedelta(seconds=seconds)


def make_due(*jobs: Any) -> None:
    """Let waiting jobs be due now, in lanes that nobody was asked to keep closed."""
    due = JobExecution.objects.filter(id__in=[job.id for job in jobs])
    Lane.objects.filter(kind__in=due.values("kind")).update(closed_until=None)
    due.update(next_attempt_at=long_ago())


def run_until_idle(kind: Kind, *, most: int = 100) -> int:
    """Let the lane take turns until it has nothing to do; return how many it took."""
    for turns in range(most):
        if not run_lane(kind.name):
            return turns
    raise AssertionError(f"the lane did not come to rest within {most} turns")


def expire(*claims: Claim) -> None:
    """Let the leases of claims run out."""
    Lease.objects.filter(id__in=[each.lease_id for each in claims]).update(expires_at=long_ago())


def job_of(claim: Claim, index: int = 0) -> JobExecution:
    """Return a job of a claim as it is stored now."""
    return JobExecution.objects.get(id=claim.jobs[index].id)


def statuses(kind: Kind) -> dict[str, int]:
    """Count the jobs of a kind by status."""
    counts: dict[str, int] = {}
    for status in JobExecution.objects.filter(kind=kind.name).values_list("status", flat=True):
        counts[status] = counts.get(status, 0) + 1
    return counts


def put(kind: Kind, subject: str, status: str, **changes: Any) -> JobExecution:
    """Store a job in any state, with what the state needs."""
    needs: dict[str, Any] = {"kind": kind.name, "subject": subject, "operation": "update", "status": status}
    if status == Status.RUNNING:
        needs["lease_id"] = Lease.objects.create(
            id=UUID(int=hash(subject) % 2**128), kind=kind.name, worker="w1", size=1, expires_at=ahead()
        ).id
    needs["metadata"] = {"triggered_by": "test", "triggered_at": "2026-01-01T00:00:00+00:00", "source": "cli"}
    return JobExecution.objects.create(**{**needs, **changes})
