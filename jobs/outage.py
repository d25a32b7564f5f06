"""Says once that something is away, and once that it is back, however often it is tried meanwhile."""

import threading
import time

import structlog

log = structlog.get_logger(__name__)


class Outage:
    """The state of one thing that this process depends on. Safe for threads."""

    def __init__(self, name: str, consequence: str) -> None:
        self.name = name
        self._consequence = consequence
        self._since: float | None = None
        self._lock = threading.Lock()

    @property
    def lasts(self) -> bool:
        """Whether the last try failed."""
        return self._since is not None

    def trip(self, error: BaseException) -> None:
        """Note that a try failed."""
        with self._lock:
            if self._since is not None:
                return
            self._since = time.monotonic()
        log.warning(f"{self.name}_away", error=type(error).__name__, consequence=self._consequence)

    def heal(self) -> None:
        """Note that a try succeeded."""
        if self._since is None:
            return
        with self._lock:
            since, self._since = self._since, None
        if since is not None:
            log.info(f"{self.name}_back", seconds=round(time.monotonic() - since, 1))


#: PostgreSQL, as seen by this process.
database = Outage("database", "results in hand are kept, the rest waits until it is back")
#: Redis, as seen by this process.
redis = Outage("redis", "jobs wait in PostgreSQL until it is back")
#: RabbitMQ, where it is the broker.
rabbitmq = Outage("rabbitmq", "jobs wait in PostgreSQL until it is back")
