"""Keeps this worker process's row in the registry."""

from collections.abc import Callable
from threading import Event, Thread

import structlog
from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection
from dramatiq import Broker, Middleware, Worker

from jobs import workers

log = structlog.get_logger(__name__)

#: Seconds until the next try, where the database was away.
_RETRY_AFTER = 1.0


class Registry(Middleware):
    """Registers the process at boot, renews its heartbeat from a thread of its own, and signs off at shutdown.

    The heartbeat does not depend on jobs: an idle worker beats, and so does one whose threads are all busy.
    """

    def __init__(self) -> None:
        self._stop = Event()
        self._thread: Thread | None = None

    def after_worker_boot(self, broker: Broker, worker: Worker) -> None:
        """Called once the consumers and threads run; a database that is away only delays the entry."""
        self._thread = Thread(target=self._beat, args=(worker.worker_threads,), name="heartbeat", daemon=True)
        self._thread.start()

    def before_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        """Called when the process was told to stop, before it waits for the work in hand."""
        _attempt("draining", lambda: workers.say_alive(workers.State.DRAINING))

    def after_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        """Called when the threads are done or the grace is over: what is still held goes back to waiting."""
        self._stop.set()
        _attempt("stopped", workers.say_stopped)

    def _beat(self, threads: int) -> None:
        while True:
            known = _attempt("heartbeat", lambda: workers.beat(threads))
            if self._stop.wait(settings.WORKER_HEARTBEAT if known else _RETRY_AFTER):
                break
        connection.close()


def _attempt(what: str, act: Callable[[], object]) -> bool:
    """Do something with the registry; a failing database is logged, never raised."""
    try:
        act()
    except DatabaseError as error:
        log.warning("registry_failed", what=what, error=type(error).__name__)
        return False
    finally:
        close_old_connections()
    return True
