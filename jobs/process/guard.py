"""Keeps a worker process from outgrowing its memory: it claims nothing more, and at last makes room for a new one."""

import ctypes
import gc
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from jobs.process.memory import MIB, Memory, memory

log = structlog.get_logger(__name__)

#: Share of the limit over which nothing is claimed.
HIGH = 0.85
#: Share of the limit under which claiming goes on.
LOW = 0.75
#: Seconds over the limit after which the process gives up.
PATIENCE = 300.0


@dataclass(slots=True)
class MemoryGuard:
    """`look` is called about once a second, from one thread; `holding` is read by all."""

    measure: Callable[[], Memory] = memory
    clock: Callable[[], float] = time.monotonic
    #: Whether nothing may be claimed.
    holding: bool = False
    #: Whether it went on for too long: the process should end.
    exhausted: bool = False
    _since: float = field(default=0.0, repr=False)

    def look(self) -> Memory:
        """Measure, and decide; return what was measured."""
        now = self.measure()
        if now.share > HIGH or self.holding:
            collect()
            now = self.measure()
        if not self.holding and now.share > HIGH:
            self.holding, self._since = True, self.clock()
            log.warning("memory_high", consequence="nothing is claimed until it is lower", **_told(now))
        elif self.holding and now.share < LOW:
            self.holding = self.exhausted = False
            log.info("memory_fine", consequence="claiming goes on", **_told(now))
        elif self.holding and not self.exhausted and self.clock() - self._since > PATIENCE:
            self.exhausted = True
            log.error("memory_exhausted", consequence="this process ends, to be started again", **_told(now))
        return now

    def affordable(self, job_bytes: int) -> int:
        """Return how many jobs of so many bytes fit in below the high mark; at least one: that must be possible."""
        now = self.measure()
        return max(1, int(HIGH * now.limit - now.used) // job_bytes)


def collect() -> None:
    """Collect garbage, and have the C library give back what became free."""
    gc.collect()
    if sys.platform == "linux":
        try:
            ctypes.CDLL("libc.so.6").malloc_trim(0)
        except (OSError, AttributeError):  # another C library
            return


def _told(now: Memory) -> dict[str, object]:
    return {"used_mib": now.used // MIB, "limit_mib": now.limit // MIB, "share": round(now.share, 3)}


guard = MemoryGuard()
