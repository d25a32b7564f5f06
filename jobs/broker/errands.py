"""A thread that does small things for the whole process, so that nobody who saves waits for them."""

import threading
from collections.abc import Callable
from typing import Final

import structlog

log = structlog.get_logger(__name__)

#: Seconds without an errand after which the thread puts away what it holds for them.
IDLE: Final = 5.0
#: The thread's name.
THREAD: Final = "errands"


class Errands:
    """Does `act` for every name that it is given; names that wait are done once. Safe for threads.

    What still waits when the process ends is dropped: the scheduler looks at the rows every second. An errand that
    fails is logged, and the next one is done.
    """

    def __init__(self, act: Callable[[str], object], *, rest: Callable[[], object], idle: float = IDLE) -> None:
        self._act = act
        self._rest = rest
        self._idle = idle
        self._waiting: dict[str, None] = {}
        self._called = threading.Condition()
        self._thread: threading.Thread | None = None

    def add(self, name: str) -> None:
        """Have `act` done for a name soon."""
        with self._called:
            self._waiting[name] = None
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=THREAD, daemon=True)
                self._thread.start()
            self._called.notify()

    def _run(self) -> None:
        while True:
            with self._called:
                if not self._called.wait_for(lambda: self._waiting, self._idle):
                    # Whoever comes next finds no thread, and starts one.
                    self._thread = None
                    break
                names, self._waiting = list(self._waiting), {}
            for name in names:
                self._try(name)
        self._rest()

    def _try(self, name: str) -> None:
        try:
            self._act(name)
        except Exception:
            # A wake-up that was not sent is made good by the scheduler; a dead thread would send no more.
            log.exception("errand_failed", errand=name)
