"""What a handler gets: the jobs of one claim, and the means to say how each of them ended.

    def handle(batch: Batch) -> None:
        for job in batch.jobs:
            batch.succeed(job, "greeted")

A handler that raises fails every job of the batch that has no outcome yet; one that returns without an outcome for a
job has succeeded with it.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import structlog
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from jobs.budget import Budget
from jobs.clean import clean
from jobs.errors import InvalidInput, JobError
from jobs.lifecycle import Claim, ClaimedJob, Failure, Postponed
from jobs.lifecycle.finish import Outcome, Write
from jobs.models import Lease

log = structlog.get_logger(__name__)

#: Characters of a result that are kept; it is one word, or a few.
RESULT_LENGTH = 64


@dataclass(slots=True)
class Trail:
    """The steps that a claim went through, each with its time."""

    lease_id: UUID
    steps: list[dict[str, Any]] = field(default_factory=list)

    def add(self, progress: int, at: datetime | None = None) -> None:
        """Note a step; nothing is written yet."""
        self.steps.append({"progress": progress, "at": (at or timezone.now()).isoformat()})

    def publish(self) -> None:
        """Show the latest step to readers: one small write for the whole batch, never worth failing for."""
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL synchronous_commit TO off")
                Lease.objects.filter(id=self.lease_id).update(progress=self.steps[-1]["progress"], steps=self.steps)
        except DatabaseError as error:
            log.warning("progress_not_shown", error=type(error).__name__)


@lru_cache(maxsize=256)
def _word(result: str) -> str:
    """Return a result as it is kept; the jobs of a batch have the same few."""
    return clean(result)[:RESULT_LENGTH]


class Batch:
    """The jobs of one claim on their way through a handler."""

    def __init__(self, claim: Claim, trail: Trail, budget: Budget) -> None:
        self.kind = claim.kind
        self.jobs = claim.jobs
        self.outcomes: dict[UUID, Outcome] = {}
        self.trail = trail
        self.budget = budget
        self._writes: list[Write] = []

    @property
    def open_jobs(self) -> list[ClaimedJob]:
        """The jobs that have no outcome yet."""
        return [job for job in self.jobs if job.id not in self.outcomes]

    def step(self, progress: int, *, publish: bool = False) -> None:
        """Note how far the batch has come (0 to 100); publish it before a part that takes long."""
        self.trail.add(progress)
        if publish:
            self.trail.publish()

    def succeed(self, job: ClaimedJob, result: str) -> None:
        """End a job well; `result` says how, in one word."""
        self.outcomes[job.id] = _word(str(result))

    def fail(self, job: ClaimedJob, error: JobError, *, stack: str = "") -> None:
        """End a job's attempt with a failure; the retry table says what comes next."""
        self.outcomes[job.id] = Failure(error, stack)

    def fail_open(self, error: JobError, *, stack: str = "") -> None:
        """Fail every job that has no outcome yet."""
        for job in self.open_jobs:
            self.fail(job, error, stack=stack)

    def postpone(self, job: ClaimedJob, *, split_size: int = 0, delay: float | None = None) -> None:
        """Give a job back as it came: it waits again, with no attempt consumed.

        It is due after `delay` seconds, behind what waits already; without one at once, in its old place.
        """
        self.outcomes[job.id] = Postponed(split_size, delay)

    def split(self, error: JobError) -> None:
        """Give back a rejected batch in two halves; a job that stands alone is the one that was rejected."""
        jobs = self.open_jobs
        if len(jobs) == 1:
            self.fail(jobs[0], InvalidInput(error.message, status_code=error.status_code))
            return
        log.warning("batch_rejected", jobs=len(jobs), error=error.message)
        for job in jobs:
            self.postpone(job, split_size=(len(jobs) + 1) // 2)

    def before_finish(self, write: Callable[[Collection[UUID]], Mapping[UUID, Outcome]]) -> None:
        """Store the batch's results with `write`, in the very transaction that ends its jobs.

        `write` gets the ids of the jobs that this worker still holds, must leave all others alone, and returns outcomes
        that replace earlier ones. It runs inside a transaction: no network call.
        """
        self._writes.append(write)

    def write(self, held: Collection[UUID]) -> Mapping[UUID, Outcome]:
        """Store everything that `before_finish` was given, for the jobs that are still ours."""
        outcomes: dict[UUID, Outcome] = {}
        for write in self._writes:
            outcomes.update(write(held))
        return outcomes

    def let_go(self) -> None:
        """Drop the writes, once they are done.

        They often refer to their batch: in a circle, both would stay until garbage is collected, with all they hold.
        """
        self._writes.clear()
