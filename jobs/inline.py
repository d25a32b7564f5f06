"""Doing a lane's work inside another process, such as a command, where no worker runs or beside those that do.

Claims, leases and fences are those of every worker, and so is the registry: what a `Crew` holds when it dies is taken
back like that of any other process. It leads nothing: no wake-ups are sent, and no periodic work is begun.
"""

import time
from collections.abc import Callable
from functools import partial
from threading import Event, Thread
from types import TracebackType

import structlog
from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection

from jobs import outage, scheduler, workers
from jobs.database import note_failure
from jobs.due import is_due
from jobs.execute import run_lane
from jobs.kinds import Kind
from jobs.runs.attend import attend_all

log = structlog.get_logger(__name__)

#: Seconds between two looks of a thread that found nothing to do.
IDLE = 0.2
#: Seconds between two rounds of the foreman.
ROUND = 0.5


class Crew:
    """A context manager: threads that work a lane off, as many as it allows at once, and one that looks after runs.

    At its end nothing more is claimed, the batches under way get `SHUTDOWN_GRACE` seconds, and what is held after that
    is given back as nobody's fault. A `KeyboardInterrupt` meanwhile ends the waiting, not the giving back.
    """

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._stop = Event()
        self._hands: list[Thread] = []
        self._foreman = Thread(target=self._look_after, name="foreman", daemon=True)

    def __enter__(self) -> "Crew":
        workers.enter_registry(self._kind.concurrency, [self._kind.name])
        self._hands = [
            Thread(target=self._work, name=f"hand-{number}", daemon=True) for number in range(self._kind.concurrency)
        ]
        for thread in (self._foreman, *self._hands):
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.rest()
        until = time.monotonic() + settings.SHUTDOWN_GRACE
        try:
            for thread in (*self._hands, self._foreman):
                thread.join(max(0.0, until - time.monotonic()))
        finally:
            _attempt(workers.say_stopped)

    def rest(self) -> None:
        """Claim nothing more; what is under way goes on."""
        self._stop.set()

    def _work(self) -> None:
        """Work batch after batch off; a lane that is paused, or has no budget, is left alone like by any worker."""
        while not self._stop.is_set():
            if not _attempt(self._turn):
                self._stop.wait(IDLE)
        connection.close()

    def _turn(self) -> bool:
        return is_due(self._kind.name) and run_lane(self._kind.name)

    def _look_after(self) -> None:
        """Beat, feed and settle runs, and take back what lost workers held: there may be no leader that does."""
        duties: list[tuple[float, Callable[[], object]]] = [
            (settings.WORKER_HEARTBEAT, partial(workers.beat, self._kind.concurrency)),
            (ROUND, attend_all),
            (scheduler.SWEEP, scheduler.sweep),
            (scheduler.SWEEP, scheduler.sweep_workers),
        ]
        next_time = [0.0] * len(duties)
        while not self._stop.wait(ROUND):
            for number, (every, act) in enumerate(duties):
                if time.monotonic() >= next_time[number]:
                    next_time[number] = time.monotonic() + every
                    _attempt(act)
        connection.close()


def _attempt(act: Callable[[], object]) -> bool:
    """Do something; a database that is away is noted, a defect logged, and neither raised. Return what came of it."""
    try:
        done = bool(act())
    except DatabaseError as error:
        if not note_failure(error):
            log.exception("inline_failed")
        return False
    except Exception:
        # What is done here is a worker's upkeep: as in a worker, a defect of it must not end the work in hand.
        log.exception("inline_failed")
        return False
    finally:
        close_old_connections()
    outage.database.heal()
    return done
