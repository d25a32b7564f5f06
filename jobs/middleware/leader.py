"""Runs the scheduler inside the workers, so that `rundramatiq` alone is a complete system."""

from threading import Event, Thread

from dramatiq import Broker, Middleware, Worker

from jobs import scheduler

#: Seconds that shutdown waits for the scheduler's thread to resign.
_RESIGN_WITHIN = 5.0


class Leader(Middleware):
    """Starts a thread in every worker process that stands for election; one of them leads."""

    def __init__(self) -> None:
        self._stop = Event()
        self._thread: Thread | None = None

    def after_worker_boot(self, broker: Broker, worker: Worker) -> None:
        """Called once the consumers and threads run."""
        self._thread = Thread(target=scheduler.run, args=(self._stop,), name="scheduler", daemon=True)
        self._thread.start()

    def before_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        """Called when the process was told to stop: another process may lead at once."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(_RESIGN_WITHIN)
