"""Telling people: lines on standard output, and a bar on the terminal."""

import errno
import logging
import sys
import time
from collections.abc import Sequence
from typing import Any, Final, TextIO
from uuid import UUID

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from embeddings.cli.follow import Sight
from embeddings.cli.words import Problem, command, covered, lasted, pace, printable
from jobs.models import Run
from jobs.runs.progress import Progress, failures_by_class

#: Without a terminal, progress is a line whenever so much more of it is done, or so many seconds have passed.
STEP: Final = 10.0
SECONDS: Final = 60.0


class _Terminal(Console):
    """Leaves it to us what becomes of a command whose reader has gone away, where rich would end the process."""

    def on_broken_pipe(self) -> None:
        """Called by rich while it handles the error."""
        raise BrokenPipeError(errno.EPIPE, "the reader has gone away")


class ForPeople:
    """Lines go to `out`, the bar and what is wrong to `err`."""

    def __init__(self, out: TextIO, err: TextIO, *, plain: bool = False) -> None:
        # Lines are never broken by us: an id or a command is to be copied whole.
        self._out = _Terminal(file=out, highlight=False, markup=False, soft_wrap=True, no_color=plain or None)
        self._err = _Terminal(file=err, highlight=False, markup=False, no_color=plain or None)
        self._live: Live | None = None
        self._told = (0.0, -STEP, "")
        #: Whether there is somebody who can be asked.
        self.asks = self._err.is_terminal

    def _line(self, text: str = "", style: str = "") -> None:
        self._out.print(Text(printable(text), style=style))

    def _facts(self, facts: dict[str, str]) -> None:
        width = max(map(len, facts))
        for name, value in facts.items():
            self._out.print(Text.assemble("  ", (f"{name:<{width}}", "dim"), "  ", printable(value)))

    def refused(self, problems: Sequence[Problem]) -> None:
        """Say what is wrong, a line each."""
        for problem in problems:
            self._err.print(Text(printable(problem.message), style="red"), soft_wrap=True)

    def note(self, text: str) -> None:
        """Say what is noteworthy."""
        self._err.print(Text(printable(text), style="yellow"), soft_wrap=True)

    def nothing_to_do(self, coverage: dict[str, Any]) -> None:
        """There is no run."""
        self._line(f"Nothing to do. Coverage: {covered(coverage)}.", "green")

    def dry_run(self, estimate: dict[str, Any], coverage: dict[str, Any]) -> None:
        """Say what a run would come to."""
        self._line(f"{estimate['total']:,} businesses would get a job; nothing was written.")
        seconds = estimate["eta_seconds"]
        self._facts(
            {
                "Unchanged": f"{estimate['unchanged']:,} have a vector of their present text",
                "Shared": f"{estimate['cached']:,} would share the vector of an equal text",
                "Too long": f"{estimate['too_long']:,} would be cut to the model's limit",
                "To be sent": f"{estimate['texts']:,} texts, {estimate['tokens']:,} tokens at most",
                "Cost": f"${estimate['cost_usd']:,.4f} at most" if estimate["cost_usd"] else "nothing",
                "Time": "as fast as the workers are" if seconds is None else f"{lasted(seconds)} at least",
                "Coverage": covered(coverage),
            }
        )

    def began(self, run: Run, coverage: dict[str, Any], *, again: bool, following: bool) -> None:
        """A run is under way: a new one, or one `again`."""
        self._line(f"Run {run.id} {'goes on' if again else 'has begun'}: {run.total:,} businesses.")
        facts = {"Coverage": covered(coverage)}
        if not following:
            facts |= {"Follow it": command("--status", "--follow"), "Stop it": command("--stop")}
        self._facts(facts)

    def progress(self, sight: Sight) -> None:
        """Draw the bar, or say a line now and then."""
        if self._err.is_terminal:
            self._draw(_bar(sight))
            return
        if sight.progress.run.finished_at is not None:
            return
        now, percentage = time.monotonic(), sight.progress.percentage
        at, told, obstacle = self._told
        changed = percentage >= told + STEP or sight.obstacle != obstacle
        if changed or now - at >= SECONDS:
            self._told = (now, percentage, sight.obstacle)
            self._line(f"{_counts(sight.progress)}; {_how(sight)}")

    def hindered(self, why: str) -> None:
        """Say what is in the way."""
        if self._err.is_terminal:
            self._draw(Text(why, style="yellow"))
        elif self._told[2] != why:
            self._told = (*self._told[:2], why)
            self._line(why)

    def _draw(self, picture: RenderableType) -> None:
        if self._live is None:
            # Drawn by our own loop and not by a thread.
            self._live = Live(console=self._err, auto_refresh=False, transient=True)
            self._live.start()
            _send_logs_to(sys.stderr)
        self._live.update(picture, refresh=True)

    def halt(self) -> None:
        """Take the bar away."""
        if self._live is not None:
            self._live.stop()
            self._live = None
            _send_logs_to(sys.stderr)

    def status(self, sight: Sight, coverage: dict[str, Any]) -> None:
        """Show a run."""
        run = sight.progress.run
        self._line(f"Run {run.id} is {run.state}. Started {run.created_at:%Y-%m-%d %H:%M} UTC by {run.requested_by}.")
        going_on = run.finished_at is None
        facts = {"Progress": _counts(sight.progress)} | _outcome(sight.progress)
        if going_on:
            facts["Forecast"] = sight.forecast.sentence
        facts["Coverage"] = covered(coverage)
        if going_on:
            facts |= {"Follow it": command("--status", "--follow"), "Stop it": command("--stop")}
        elif run.state in {Run.State.STOPPED, Run.State.FAILED}:
            facts["Resume it"] = command("--resume", str(run.id))
        self._facts(facts)
        if sight.obstacle:
            self.note(sight.obstacle)

    def stopped(self, run: Run, resume: str) -> None:
        """The run makes no more jobs."""
        if run.state == Run.State.STOPPING:
            self._line(f"Run {run.id} is stopping: what was sent already comes to its end.")
        else:
            self._line(f"Run {run.id} is stopped.")
        self._facts({"Resume it": resume})

    def interrupted(self, run_id: UUID, state: str, commands: dict[str, str]) -> None:
        """This command ends before the run does."""
        going_on = state == Run.State.RUNNING
        self._line(f"Run {run_id} goes on in the background." if going_on else f"Run {run_id} is {state}.")
        self._facts({f"{name.capitalize()} it": line for name, line in commands.items()})

    def ended(self, progress: Progress, coverage: dict[str, Any], code: int, resume: str) -> None:
        """Sum up."""
        run = progress.run
        self._line(f"Run {run.id} is {run.state}: {_counts(progress)}.", "red" if code else "green")
        rate = pace(progress.processed / progress.elapsed_seconds if progress.elapsed_seconds >= 1 else None)
        facts = _outcome(progress) | {
            "Time": f"{lasted(progress.elapsed_seconds)}{f', {rate}' if rate else ''}",
            "Coverage": covered(coverage),
        }
        if resume:
            facts["Resume it"] = resume
        self._facts(facts)


def _send_logs_to(stream: TextIO) -> None:
    """Have logs written above the bar: while there is one, rich has its own standard error in place of the real one."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setStream(stream)


def _counts(progress: Progress) -> str:
    failed = f", {progress.failed:,} failed" if progress.failed else ""
    return f"{progress.processed:,} of {progress.run.total:,} ({int(progress.percentage)} %){failed}"


def _how(sight: Sight) -> str:
    return f"{sight.forecast.sentence}{f'. {sight.obstacle}' if sight.obstacle else ''}"


def _bar(sight: Sight) -> Group:
    """Return the bar, below it the counts, rate and forecast, and below those what is in the way."""
    progress = sight.progress
    bar = Table.grid(padding=(0, 1), expand=True)
    bar.add_column(ratio=1)
    bar.add_column(no_wrap=True)
    bar.add_row(ProgressBar(total=100.0, completed=progress.percentage), Text(f"{int(progress.percentage)} %"))
    counts = Text(f"{progress.processed:,} of {progress.run.total:,}")
    if progress.failed:
        counts.append(f", {progress.failed:,} failed", "red")
    counts.append(f". {sight.forecast.sentence}", "dim")
    lines: list[RenderableType] = [bar, counts]
    if sight.obstacle:
        lines.append(Text(printable(sight.obstacle), "yellow"))
    return Group(*lines)


def _outcome(progress: Progress) -> dict[str, str]:
    """Return what became of the jobs."""
    results = ", ".join(f"{number:,} {result}" for result, number in progress.results.items())
    facts = {"Succeeded": f"{progress.succeeded:,}{f' ({results})' if results else ''}"}
    if progress.failed:
        facts["Failed"] = f"{progress.failed:,}; see Dead letters in the admin, or /api/admin/dlq"
        for failure in failures_by_class(progress.run):
            facts[f"  {failure['error_class']}"] = f"{failure['count']:,}, the last: {failure['last_error']}"
    if progress.cancelled:
        facts["Called off"] = f"{progress.cancelled:,}"
    if progress.skipped:
        facts["Left alone"] = f"{progress.skipped:,} that wait for another run"
    if progress.run.error:
        facts["Error"] = progress.run.error
    return facts
