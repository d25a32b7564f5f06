"""A program that is meant to keep running: started again when it ends, less and less eagerly."""

import time
from collections.abc import Callable

from yellowbook.local.errors import LocalError
from yellowbook.local.process import Child

#: Seconds before the first new start, and the most that the doubling leads to.
FIRST_DELAY, LONGEST_DELAY = 1.0, 30.0
#: Seconds of running after which an end counts as the first again.
STEADY = 60.0


class Service:
    """One running child and the way to start it again."""

    def __init__(self, child: Child, begin: Callable[[], Child], clock: Callable[[], float] = time.monotonic) -> None:
        self.child = child
        self._begin = begin
        self._clock = clock
        self._delay = FIRST_DELAY
        self._started = clock()
        self._again_at: float | None = None

    def tend(self) -> str | None:
        """Look after it once: return a line that says that it ended or could not be started, if so."""
        now = self._clock()
        if self._again_at is None:
            code = self.child.poll()
            if code is None:
                return None
            if now - self._started > STEADY:
                self._delay = FIRST_DELAY
            return self._wait(now, f"{self.child.name} ended with exit code {code} (log: {self.child.log})")
        if now < self._again_at:
            return None
        try:
            self.child = self._begin()
        except LocalError as error:
            return self._wait(now, str(error))
        self._again_at = None
        self._started = now
        return None

    def _wait(self, now: float, reason: str) -> str:
        delay = self._delay
        self._again_at = now + delay
        self._delay = min(2 * delay, LONGEST_DELAY)
        return f"{reason}; starting it again in {delay:g} s."
