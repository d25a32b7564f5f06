"""Keeps this worker process's row in the registry."""

from collections.abc import Callable, Collection
from functools import partial
from multiprocessing.util import Finalize
from threading import Event, Thread

import structlog
from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection
from dramatiq import Broker, Middleware, Worker

from jobs import outage, workers
from jobs.database import note_failure
from jobs.process.stopping import stopping

log = structlog.get_logger(__name__)

#: Seconds until the next try, where the database was away.
_RETRY_AFTER = 1.0
#: After dramatiq's own: lower priorities run later.
_LAST = -100


class Registry(Middleware):
    """Registers the process at boot, renews its heartbeat from a thread of its own, and signs off at shutdown.

    The heartbeat does not depend on jobs: an idle worker beats, and so does one whose threads are all busy.
    """

    def __init__(self) -> None:
        self._stop = Event()
        self._thread: Thread | None = None

    def say_starting(self) -> None:
        """Enter the process as starting; called before it loads what takes long."""
        _attempt(lambda: workers.enter_registry(0, state=workers.State.STARTING))

    def after_worker_boot(self, broker: Broker, worker: Worker) -> None:
        """Called once the consumers and threads run; a database that is away only delays the entry."""
        self._thread = Thread(
            target=self._beat,
            args=(worker.worker_threads, worker.consumer_whitelist or ()),
            name="heartbeat",
            daemon=True,
        )
        self._thread.start()
        # A second signal ends the process without the hook below; what it holds is given back all the same.
        Finalize(None, self._sign_off, exitpriority=_LAST)

    def before_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        """Called when the process was told to stop, before it waits for the work in hand."""
        stopping.set()
        _attempt(lambda: workers.say_alive(workers.State.DRAINING))

    def after_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        """Called when the threads are done or the grace is over: what is still held goes back to waiting."""
        self._sign_off()

    def _sign_off(self) -> None:
        """Leave the registry, once."""
        if not self._stop.is_set():
            self._stop.set()
            _attempt(workers.say_stopped)

    def _beat(self, threads: int, queues: Collection[str]) -> None:
        act: Callable[[int, Collection[str]], object] = workers.enter_registry
        while True:
            known = _attempt(partial(act, threads, queues))
            if known:
                act = workers.beat
            if self._stop.wait(settings.WORKER_HEARTBEAT if known else _RETRY_AFTER):
                break
        connection.close()


def _attempt(act: Callable[[], object]) -> bool:
    """Do something with the registry; a failing database is noted, never raised."""
    try:
        act()
    except DatabaseError as error:
        if not note_failure(error):
            log.exception("registry_failed")
        return False
    else:
        outage.database.heal()
    finally:
        close_old_connections()
    return True
