"""A kind whose runs go over made-up subjects."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest

from jobs.batch import Batch
from jobs.execute import run_lane
from jobs.kinds import Kind
from jobs.models import JobExecution, Run
from jobs.runs import Estimate, Item, attend, start_fed_run
from jobs.runs.feeds import Options
from jobs.runs.forms import RunForm
from jobs.runs.progress import progress_of
from tests.jobs.support import MakeKind


@dataclass
class Numbers:
    """A feed of the subjects "00000", "00001", ..., from a list that a test may change meanwhile."""

    subjects: list[str] = field(default_factory=list)
    pages: list[list[str]] = field(default_factory=list)
    error: Exception | None = None
    form: type[RunForm] = RunForm

    def count(self, options: Options) -> int:
        return len(self.subjects)

    def page(self, options: Options, *, run_id: UUID, after: str, limit: int) -> list[Item]:
        if self.error is not None:
            raise self.error
        made = set(JobExecution.objects.filter(run_id=run_id).values_list("subject", flat=True))
        found = [each for each in sorted(self.subjects) if each > after and each not in made][:limit]
        self.pages.append(found)
        return [Item(each) for each in found]

    def estimate(self, options: Options) -> Estimate:
        return Estimate(total=len(self.subjects))


@pytest.fixture
def numbers() -> Numbers:
    return Numbers([f"{number:05}" for number in range(100)])


@pytest.fixture
def handled() -> list[str]:
    """The subjects that were worked on, in that order."""
    return []


@pytest.fixture
def fed(make_kind: MakeKind, numbers: Numbers, handled: list[str]) -> Kind:
    """A kind with a feed, whose lane takes ten at a time and has room for one batch: 40 wait at most."""

    def handle(batch: Batch) -> None:
        handled.extend(job.subject for job in batch.jobs)

    return make_kind(handle, feed=numbers, batch_size=10, concurrency=1, linger=0.0)


@pytest.fixture(autouse=True)
def _eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at a run as often as a test wants."""
    monkeypatch.setattr(attend, "MIN_PAUSE", 0.0)


@pytest.fixture
def begin(fed: Kind) -> Callable[..., Run]:
    """Start a run and feed it once."""

    def start(**options: Any) -> Run:
        run = start_fed_run(fed.name, options)
        attend.attend_all()
        return run

    return start


def finish(kind: Kind) -> None:
    """Work everything off, as workers and leader do together."""
    for _ in range(1000):
        if not run_lane(kind.name):
            attend.attend_all()
            if not run_lane(kind.name):
                return
    raise AssertionError("it does not come to an end")


def check_counts(run: Run) -> None:
    """Compare what the run says with its rows."""
    run.refresh_from_db()
    rows: dict[str, int] = {}
    for status, result, error_class in JobExecution.objects.filter(run=run).values_list(
        "status", "result", "error_class"
    ):
        outcome = {"succeeded": result, "dead": f"dead:{error_class}"}.get(status, status)
        rows[outcome] = rows.get(outcome, 0) + 1
    told = {count.outcome: count.jobs for count in run.counts.all() if count.jobs}
    assert told == {outcome: n for outcome, n in rows.items() if outcome not in {"queued", "retrying", "running"}}
    progress = progress_of(run)
    assert progress.processed == sum(told.values()) + run.skipped
    assert 0 <= progress.percentage <= 100
    assert run.made == sum(rows.values())
