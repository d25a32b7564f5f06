"""Filling a model in by runs, and following them."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn

from embeddings.kinds import GENERATE_EMBEDDING
from embeddings.switch import Coverage, coverage_of
from jobs import workers
from jobs.actor import Actor
from jobs.execute import run_lane
from jobs.models import Lane, Run
from jobs.quiet import only_warnings
from jobs.runs import RunActive, start_fed_run
from jobs.runs.attend import attend_all, feed
from jobs.runs.forecast import forecast
from jobs.runs.progress import Progress as RunProgress
from jobs.runs.progress import progress_of

#: Seconds between two looks at a run, and between two forecasts.
LOOK_EVERY = 0.5
FORECAST_EVERY = 5.0
#: Seconds between two lines where there is no terminal to show a bar on.
LINE_EVERY = 60.0
#: Runs that may end one after another with as much lacking as before: so many texts are saved meanwhile.
PATIENCE = 3


class FillStopped(Exception):
    """The run that was followed did not come to its end; the message says why."""


def fill(model: str, follower: "Follower", *, actor: Actor) -> Coverage:
    """Make the vectors that `model` lacks, again for texts that changed meanwhile; return what it has in the end.

    A run that fills it already is taken up. Ends when nothing is lacking, or when what is lacking can't be made. Raises
    `RunActive` when another run is in the way, and `FillStopped`.
    """
    coverage = coverage_of(model)
    patience = PATIENCE
    while coverage.missing and patience:
        failed = follower.follow(run_for(model, actor))
        before, coverage = coverage, coverage_of(model)
        if coverage.missing <= failed:
            break
        patience = PATIENCE if coverage.missing < before.missing else patience - 1
    return coverage


def run_for(model: str, actor: Actor) -> Run:
    """Begin a run that fills a model, or take the one up that does; raises `RunActive` when another is in the way."""
    try:
        run = start_fed_run(GENERATE_EMBEDDING, {"model": model}, actor=actor)
    except RunActive as error:
        if error.run.options.get("model") == model and error.run.state == Run.State.RUNNING:
            return error.run
        raise
    feed(run.id)
    return run


class Follower:
    """Shows how far runs have come; with `inline`, does their work besides. A context manager."""

    def __init__(self, say: Callable[[str], object], *, inline: bool, bar: bool) -> None:
        self._say = say
        self._inline = inline
        console = Console(stderr=True)
        columns = (BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[forecast]}"))
        self._bar = Progress(*columns, console=console, transient=True, disable=not (bar and console.is_terminal))
        self._stack = ExitStack()
        self._told: set[str] = set()
        self._forecast_at = time.monotonic()
        self._line_at = self._forecast_at + LINE_EVERY

    def __enter__(self) -> "Follower":
        self._stack.enter_context(self._bar)
        if self._inline:
            self._stack.enter_context(only_warnings("jobs", "embeddings"))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def follow(self, run: Run) -> int:
        """Wait for a run's end; return how many of its jobs failed for good. Raises `FillStopped`."""
        with self._task() as task:
            while True:
                progress = progress_of(Run.objects.get(id=run.id))
                self._bar.update(task, completed=progress.processed, total=max(1, progress.run.total))
                if progress.run.finished_at is not None:
                    break
                self._foresee(task, progress)
                if not (self._inline and run_lane(GENERATE_EMBEDDING)):
                    if self._inline:
                        attend_all()
                    # Workers tell of their progress in rows alone; this follows them for a person.
                    time.sleep(LOOK_EVERY)
        run = progress.run
        if run.state != Run.State.COMPLETED:
            why = f" {run.error}" if run.error else " Unless somebody stopped it, its dead letters tell why."
            raise FillStopped(f"Run {run.id} is {run.state} after {progress.processed:,} of {run.total:,}.{why}")
        return progress.failed

    def _foresee(self, task: TaskID, progress: RunProgress) -> None:
        """Say now and then when it will be done, and what keeps it from going on."""
        now = time.monotonic()
        if now < self._forecast_at:
            return
        self._forecast_at = now + FORECAST_EVERY
        sentence = forecast(progress).sentence
        self._bar.update(task, forecast=sentence)
        if self._bar.disable and now >= self._line_at:
            self._line_at = now + LINE_EVERY
            self._say(f"Run {progress.run.id}: {progress.processed:,} of {progress.run.total:,}. {sentence}")
        self._look_around()

    @contextmanager
    def _task(self) -> Iterator[TaskID]:
        task = self._bar.add_task("", total=1, forecast="")
        try:
            yield task
        finally:
            self._bar.remove_task(task)

    def _look_around(self) -> None:
        """Say once what keeps the run from going on."""
        lane = Lane.objects.filter(kind=GENERATE_EMBEDDING, paused_at__isnull=False).first()
        if lane is not None:
            self._once(f"The lane {lane.kind} is paused: {lane.pause_reason or 'no reason given'}. Resume it to go on.")
        if not self._inline and not workers.alive().exists():
            self._once("No worker is alive: the run goes on with manage.py rundramatiq.")

    def _once(self, line: str) -> None:
        if line not in self._told:
            self._told.add(line)
            self._say(line)
