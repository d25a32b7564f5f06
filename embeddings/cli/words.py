"""Sentences, commands and exit codes that every way of telling has in common."""

import os
import shlex
import shutil
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from django.db.models.functions import Now

from embeddings.kinds import GENERATE_EMBEDDING
from jobs import workers
from jobs.models import Lane, Run
from jobs.runs.progress import Progress

#: The command.
NAME: Final = "embed_businesses"
#: Exit codes besides 0, all done.
UNFINISHED: Final = 1
NOT_STARTED: Final = 2
INTERRUPTED: Final = 128 + signal.SIGINT


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a run can't be started: a name for programs, a sentence for people."""

    code: str
    message: str


class Refused(Exception):
    """What was asked for can't begin, for these reasons."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(" ".join(problem.message for problem in problems))
        self.problems = problems


def command(*arguments: str) -> str:
    """Return a line that calls this command again, as it can be typed where this one was."""
    python = Path(sys.executable)
    if shutil.which(python.name) == str(python):
        interpreter = python.name
    elif python.is_relative_to(Path.cwd()):
        interpreter = str(python.relative_to(Path.cwd()))
    else:
        interpreter = str(python)
    script = sys.argv[0] if os.path.basename(sys.argv[0]) == "manage.py" else "manage.py"
    return shlex.join([interpreter, script, NAME, *arguments])


def typed() -> tuple[str, ...]:
    """Return the arguments with which this command was called from a shell."""
    return tuple(sys.argv[2:]) if sys.argv[1:2] == [NAME] else ()


def printable(text: str) -> str:
    """Return text from outside as one line without control characters, which a terminal would obey."""
    return "".join(character if character.isprintable() else " " for character in text)


def exit_code(progress: Progress) -> int:
    """Return what a run that has ended amounts to."""
    complete = progress.run.state == Run.State.COMPLETED and not progress.failed
    return 0 if complete else UNFINISHED


def covered(coverage: dict[str, Any]) -> str:
    """Say how many businesses have a vector."""
    stale = f", {coverage['stale']:,} stale" if coverage["stale"] else ""
    percentage = f"{coverage['coverage_percentage']:.2f} %"
    return f"{percentage}, {coverage['with_embeddings']:,} of {coverage['total']:,} by {coverage['model']}{stale}"


def lasted(seconds: float) -> str:
    """Say how long something took."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes} min" if hours else f"{minutes} min {rest} s"


def pace(rate: float | None) -> str:
    """Say how fast it goes; empty when nobody can tell."""
    if rate is None:
        return ""
    return f"{rate:,.0f} per second" if rate >= 10 else f"{60 * rate:,.0f} per minute"


def obstacle() -> str:
    """Say what keeps the lane from its work now; empty when nothing does that a person could change."""
    paused = paused_lane()
    if paused is not None:
        until = f" until {paused.paused_until:%A %H:%M} UTC" if paused.paused_until else ""
        return f"The lane is paused{until} by {paused.paused_by}: {paused.pause_reason or 'no reason given'}"
    if not workers.alive().exists():
        return "No worker is alive: start one with manage.py rundramatiq."
    return ""


def paused_lane() -> Lane | None:
    """Return the lane of embeddings, if nothing of it is claimed."""
    lanes = Lane.objects.filter(kind=GENERATE_EMBEDDING, paused_at__isnull=False)
    return lanes.exclude(paused_until__lte=Now()).first()
