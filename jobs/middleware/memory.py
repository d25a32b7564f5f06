"""Watches the memory of this worker process."""

import os
import signal
import sys
from threading import Event, Thread

from dramatiq import Broker, Middleware, Worker

from jobs.process.guard import guard

#: Seconds between two looks.
INTERVAL = 1.0
#: Exit code of a process that ended because it used too much memory: EX_TEMPFAIL of sysexits.h.
EXHAUSTED = 75


class Memory(Middleware):
    """Fetches no messages while the guard holds, so that other processes get them, and ends the process at last."""

    def __init__(self) -> None:
        self._stop = Event()

    def after_worker_boot(self, broker: Broker, worker: Worker) -> None:
        """Called once the consumers and threads run."""
        Thread(target=self._watch, args=(worker,), name="memory", daemon=True).start()

    def before_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        """Called when the process was told to stop."""
        self._stop.set()

    def after_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        """Called when everything is done: tell whoever started this process why it ended."""
        if guard.exhausted:
            sys.exit(EXHAUSTED)

    def _watch(self, worker: Worker) -> None:
        fetching = True
        while not self._stop.wait(INTERVAL):
            guard.look()
            if guard.exhausted:
                os.kill(os.getpid(), signal.SIGTERM)
                return
            if fetching == guard.holding:
                fetching = not guard.holding
                for consumer in worker.consumers.values():
                    if fetching:
                        consumer.resume()
                    else:
                        consumer.pause()
