"""What `make run` tells the person who typed it: a few lines, and a bar on a terminal."""

import contextlib
import os
import sys

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from yellowbook.local.client import Coverage

#: Without a terminal, progress is told in steps of this part of the whole.
STEP = 0.25


class Terminal(Console):
    """Falls silent when its reader has gone away, where rich would end the process."""

    def on_broken_pipe(self) -> None:
        """Called by rich when standard output is closed at the other end: from now on what is written goes nowhere."""
        self.quiet = True
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, sys.stdout.fileno())
        os.close(silence)


class Output:
    """Writes to standard output; one that has gone away is no reason to stop the servers."""

    def __init__(self) -> None:
        # Lines are never broken: an address or a token is to be copied whole.
        self._console = Terminal(file=sys.stdout, highlight=False, markup=False, soft_wrap=True)
        self._bar: Progress | None = None
        self._told = -1.0

    def line(self, text: str, style: str = "") -> None:
        """Write one line, above the bar if there is one."""
        with contextlib.suppress(OSError):
            self._console.print(Text(text, style=style))

    def facts(self, facts: dict[str, str]) -> None:
        """Write an indented line per fact, with the names in one column."""
        width = max(len(name) for name in facts)
        for name, value in facts.items():
            with contextlib.suppress(OSError):
                self._console.print(Text.assemble("  ", (f"{name:<{width}}", "dim"), "  ", value))

    def progress(self, coverage: Coverage) -> None:
        """Show how far the embedding has come: a bar on a terminal, now and then a line elsewhere."""
        with contextlib.suppress(OSError):
            if self._console.is_terminal:
                self._draw(coverage)
            elif coverage.embedded - self._told >= STEP * coverage.total:
                self._told = coverage.embedded
                self.line(f"Embedded {coverage.embedded} of {coverage.total} businesses.")

    def finish_progress(self, coverage: Coverage) -> None:
        """Say that all are embedded, after a last look of the bar if there is one."""
        if self._bar is not None:
            self.progress(coverage)
        self.end_progress()
        if coverage.total:
            self.line(f"All {coverage.total} businesses are embedded.")

    def end_progress(self) -> None:
        """Leave the bar as it stands and go on below it."""
        if self._bar is not None:
            with contextlib.suppress(OSError):
                self._bar.stop()
            self._bar = None

    def _draw(self, coverage: Coverage) -> None:
        if self._bar is None:
            columns = (TextColumn("Embedding businesses"), BarColumn(), MofNCompleteColumn())
            # Drawn by our own loop and not by a thread: children are started from a process of one thread.
            self._bar = Progress(*columns, console=self._console, auto_refresh=False)
            self._bar.add_task("embedding", total=coverage.total)
            self._bar.start()
        self._bar.update(self._bar.task_ids[0], total=coverage.total, completed=coverage.embedded)
        self._bar.refresh()
