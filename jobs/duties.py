"""What the leader does again and again. An app adds a duty of its own with `register`, e.g. when it is ready."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from jobs.database import OPERATIONAL, is_away

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Duty:
    """Something short: it holds up every wake-up while it runs. What takes longer belongs into a job."""

    name: str
    #: Seconds between two times.
    every: float
    act: Callable[[], object]
    #: Seconds that a new leader, or one that had lost the database, waits before the first time.
    at_first: Callable[[], float] = field(default=lambda: 0.0)


_duties: dict[str, Duty] = {}


def register(duty: Duty) -> Duty:
    """Make a duty known; names are unique."""
    if _duties.setdefault(duty.name, duty) is not duty:
        raise ValueError(f"a duty named {duty.name!r} is already declared")
    return duty


@dataclass(slots=True)
class Rota:
    """When each duty is due, for one leader."""

    clock: Callable[[], float] = time.monotonic
    _next: dict[str, float] = field(init=False)

    def __post_init__(self) -> None:
        now = self.clock()
        self._next = {duty.name: now + duty.at_first() for duty in _duties.values()}

    def do_due(self) -> None:
        """Do what is due. A duty that fails is logged and keeps nobody from the others; an outage is raised."""
        for duty in list(_duties.values()):
            if self.clock() < self._next.get(duty.name, 0.0):
                continue
            self._next[duty.name] = self.clock() + duty.every
            try:
                duty.act()
            except OPERATIONAL as error:
                if is_away(error):
                    raise
                log.exception("duty_failed", duty=duty.name)
            except Exception:
                # Whatever one duty trips over, the others are due all the same; this one is due again later.
                log.exception("duty_failed", duty=duty.name)
