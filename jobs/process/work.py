"""What this process has in hand and has done since it started; its heartbeat reports it."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class InHand:
    """A batch under way."""

    kind: str
    jobs: int
    #: `time.monotonic()` of its claim.
    since: float

    @property
    def seconds(self) -> float:
        """How long it has been under way."""
        return time.monotonic() - self.since

    def __str__(self) -> str:
        return f"{self.kind} x {self.jobs}"


@dataclass(slots=True)
class Work:
    """Safe for threads."""

    #: Jobs brought to the end of an attempt, and those of them that failed.
    processed: int = 0
    failed: int = 0
    _in_hand: dict[int, InHand] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, *, processed: int, failed: int) -> None:
        """Count one batch that has ended."""
        with self._lock:
            self.processed += processed
            self.failed += failed

    @contextmanager
    def doing(self, kind: str, jobs: int) -> Iterator[None]:
        """Have a batch in hand for the length of the block."""
        batch = InHand(kind, jobs, time.monotonic())
        with self._lock:
            self._in_hand[id(batch)] = batch
        try:
            yield
        finally:
            with self._lock:
                del self._in_hand[id(batch)]

    def oldest(self) -> InHand | None:
        """Return the batch that has been in hand for the longest."""
        with self._lock:
            return min(self._in_hand.values(), key=lambda batch: batch.since, default=None)


work = Work()
