"""What this process has done since it started; its heartbeat reports it."""

from dataclasses import dataclass, field
from threading import Lock


@dataclass(slots=True)
class Tally:
    """Counts of jobs that this process brought to the end of an attempt."""

    processed: int = 0
    failed: int = 0
    _lock: Lock = field(default_factory=Lock)

    def add(self, *, processed: int, failed: int) -> None:
        """Count one batch."""
        with self._lock:
            self.processed += processed
            self.failed += failed


tally = Tally()
