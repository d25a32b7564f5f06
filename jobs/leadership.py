"""Election of one leader among all worker processes, by a PostgreSQL advisory lock."""

from typing import LiteralString

import psycopg
from django.conf import settings

from jobs.workers import MISSED_BEATS

#: Key of the lock: the ASCII codes of "ylwbook". Any constant does, as long as nothing else in the database uses it.
LOCK_KEY = int.from_bytes(b"ylwbook", "big")

#: The shortest time, in seconds, after which a leader may lose its connection; it gives a sign about every second.
_SHORTEST = 5.0


def frozen_after() -> float:
    """Return the seconds without a sign of the leader after which PostgreSQL closes its connection: three heartbeats.

    A process that froze, or a host that lost its power, would keep the lock for as long as the connection seems to
    live, which is hours.
    """
    return max(_SHORTEST, float(settings.WORKER_HEARTBEAT * MISSED_BEATS))


class Leadership:
    """A claim to leadership. The lock lives as long as its connection, so a dead leader frees it at once.

    The connection is the leader's own: it is neither pooled nor does it go through PgBouncer (`DATABASE_DIRECT_URL`).
    """

    def __init__(self) -> None:
        self._connection: psycopg.Connection | None = None

    def holds(self) -> bool:
        """Tell whether this process leads now, trying to become the leader when nobody is.

        Raises `psycopg.OperationalError` when the database is away; leadership is then lost.
        """
        try:
            if self._connection is None:
                self._connection = psycopg.connect(
                    settings.DATABASE_DIRECT_URL or settings.DATABASE_URL,
                    autocommit=True,
                    connect_timeout=5,
                    application_name="yellowbook-leader",
                )
                if not self._ask("SELECT pg_try_advisory_lock(%s)", [LOCK_KEY]):
                    self.resign()
                    return False
                self._ask(
                    "SELECT set_config('idle_session_timeout', %s, false) <> ''", [f"{frozen_after() * 1000:.0f}ms"]
                )
                return True
            return self._ask("SELECT true", [])
        except psycopg.Error:
            self.resign()
            raise

    def resign(self) -> None:
        """Give the leadership up, if held."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _ask(self, question: LiteralString, parameters: list[int | str]) -> bool:
        assert self._connection is not None
        row = self._connection.execute(question, parameters).fetchone()
        return bool(row and row[0])
