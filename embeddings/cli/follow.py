"""Looking at a run again and again, until its end."""

import time
from dataclasses import dataclass
from typing import Final, Protocol
from uuid import UUID

from django.db import close_old_connections

from embeddings.cli.signals import Interruptions
from embeddings.cli.words import obstacle
from jobs.database import OPERATIONAL, is_away
from jobs.models import Run
from jobs.runs.forecast import Forecast, forecast
from jobs.runs.progress import Progress, progress_of

#: Seconds between two looks at the run, and at what keeps it from going on.
LOOK_EVERY: Final = 0.5
OBSTACLE_EVERY: Final = 2.0

#: What is said while the rows can't be read.
AWAY: Final = "PostgreSQL is away. The run goes on by itself once it is back."


@dataclass(frozen=True, slots=True)
class Sight:
    """What there is to see of a run at a moment."""

    progress: Progress
    forecast: Forecast
    #: Why it does not go on, for a person to do something about; empty when it does.
    obstacle: str = ""


class Watcher(Protocol):
    """Shows what is seen."""

    def progress(self, sight: Sight) -> None:
        """Show how far it is; called again and again."""

    def hindered(self, why: str) -> None:
        """Show that nothing can be seen now."""


def look(run_id: UUID, why: str = "") -> Sight:
    """Look once. Raises `Run.DoesNotExist`."""
    progress = progress_of(Run.objects.get(id=run_id))
    return Sight(progress, forecast(progress), why)


def follow(run_id: UUID, watcher: Watcher, interruptions: Interruptions) -> Progress | None:
    """Watch until the run has ended and return how; None when a signal came before.

    It outlives an outage of the database, as the run does. Raises `Run.DoesNotExist` when somebody deletes the run.
    """
    why, asked = "", 0.0
    while True:
        try:
            if time.monotonic() - asked >= OBSTACLE_EVERY:
                why, asked = obstacle(), time.monotonic()
            sight = look(run_id, why)
        except OPERATIONAL as error:
            if not is_away(error):
                raise
            watcher.hindered(AWAY)
        else:
            watcher.progress(sight)
            if sight.progress.run.finished_at is not None:
                return sight.progress
        finally:
            close_old_connections()
        if interruptions.wait(LOOK_EVERY):
            return None
