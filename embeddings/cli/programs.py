"""Telling programs: one JSON object per line on standard output, and nothing else."""

import json
import time
from collections.abc import Sequence
from typing import Any, Final, TextIO
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder

from embeddings.cli.follow import Sight
from embeddings.cli.words import Problem
from jobs.api.runs import told
from jobs.models import Run
from jobs.runs.progress import Progress, failures_by_class

#: Seconds between two lines of progress while something happens, and while nothing does.
AT_MOST_EVERY: Final = 1.0
AT_LEAST_EVERY: Final = 60.0


class ForPrograms:
    """Every line has `event`; counts have the names of the API."""

    asks = False

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._last = (0.0, -1, "")

    def _say(self, event: str, **values: Any) -> None:
        line = json.dumps({"event": event, **values}, cls=DjangoJSONEncoder, ensure_ascii=False)
        self._out.write(line + "\n")
        self._out.flush()

    def refused(self, problems: Sequence[Problem]) -> None:
        """Each problem is a line."""
        for problem in problems:
            self._say("error", code=problem.code, message=problem.message)

    def note(self, text: str) -> None:
        """What is noteworthy is a line."""
        self._say("note", message=text)

    def nothing_to_do(self, coverage: dict[str, Any]) -> None:
        """There is no run."""
        self._say("nothing_to_do", coverage=coverage)

    def dry_run(self, estimate: dict[str, Any], coverage: dict[str, Any]) -> None:
        """Say what a run would come to."""
        self._say("dry_run", **estimate, coverage=coverage)

    def began(self, run: Run, coverage: dict[str, Any], *, again: bool, following: bool) -> None:
        """A run is under way: a new one, or one `again`."""
        self._say(
            "resumed" if again else "started",
            run_id=run.id,
            total=run.total,
            options=run.options,
            model=coverage["model"],
            coverage=coverage,
        )

    def progress(self, sight: Sight) -> None:
        """Tell progress at most once a second, and that nothing happens at least once a minute."""
        now, (at, done, obstacle) = time.monotonic(), self._last
        processed = sight.progress.processed
        due = AT_MOST_EVERY if (processed, sight.obstacle) != (done, obstacle) else AT_LEAST_EVERY
        if done >= 0 and now - at < due and sight.progress.run.finished_at is None:
            return
        self._last = (now, processed, sight.obstacle)
        self._say("progress", **self._counts(sight), obstacle=sight.obstacle)

    def hindered(self, why: str) -> None:
        """Tell once what is in the way."""
        if self._last[2] != why:
            self._last = (*self._last[:2], why)
            self._say("note", message=why)

    def halt(self) -> None:
        """There is no bar to be put away."""

    def status(self, sight: Sight, coverage: dict[str, Any]) -> None:
        """Show a run."""
        run = sight.progress.run
        self._say(
            "status",
            **self._counts(sight),
            obstacle=sight.obstacle,
            failures=failures_by_class(run),
            coverage=coverage,
        )

    def stopped(self, run: Run, resume: str) -> None:
        """The run makes no more jobs."""
        self._say("stopped", run_id=run.id, state=run.state, resume=resume)

    def interrupted(self, run_id: UUID, state: str, commands: dict[str, str]) -> None:
        """This command ends before the run does."""
        self._say("interrupted", run_id=run_id, state=state, **commands)

    def ended(self, progress: Progress, coverage: dict[str, Any], code: int, resume: str) -> None:
        """Sum up."""
        self._say(
            "ended",
            **told(progress),
            failures=failures_by_class(progress.run),
            coverage=coverage,
            resume=resume or None,
            exit_code=code,
        )

    @staticmethod
    def _counts(sight: Sight) -> dict[str, Any]:
        seconds = sight.forecast.seconds
        return {
            **told(sight.progress),
            "eta_seconds": None if seconds is None else round(seconds, 1),
            "forecast": sight.forecast.sentence,
        }
