"""Where the database is: a libpq URL in Django's form, and how each process holds its connections.

Behind PgBouncer in transaction mode every transaction may have another session, so nothing of a session is relied on:
no options at its start, no cursor that outlives a transaction, no prepared statement (Django makes none).
"""

from typing import Final

import psycopg.conninfo
from django.core.exceptions import ImproperlyConfigured

#: Milliseconds that a transaction may sit idle before PostgreSQL ends it with its connection. Ours wait for nothing but
#: the database; a process that froze in one, or a host that vanished, would keep its locks from all others for hours.
IDLE_IN_TRANSACTION: Final = 60_000
_SESSION: Final = f"-c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION}"


def database(url: str, *, name: str = "DATABASE_URL", shared: bool = False) -> dict[str, object]:
    """Turn a libpq URL into Django's form, by libpq's own rules; raises `ImproperlyConfigured`.

    `name` is the setting that it came from, `shared` whether transactions share sessions on its other end.
    """
    try:
        parts = psycopg.conninfo.conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        raise ImproperlyConfigured(f"{name}=(secret) is not valid: expected a libpq URL.") from None
    parts.pop("client_encoding", None)
    session = "" if shared else _SESSION
    return {
        "ENGINE": "yellowbook.postgresql",
        "NAME": parts.pop("dbname", "yellowbook"),
        "USER": parts.pop("user", ""),
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": parts.pop("port", ""),
        "DISABLE_SERVER_SIDE_CURSORS": shared,
        "OPTIONS": {
            **parts,
            "connect_timeout": parts.get("connect_timeout", 5),
            # The URL's own options come later, and win.
            "options": f"{session} {parts.get('options', '')}".strip(),
            # A pool that can't connect tries again after 1, 2, 4 ... seconds, up to `reconnect_timeout`, and does
            # nothing else meanwhile: with 300, the default, an outage would go on for as long again after its end.
            "pool": {"min_size": 1, "max_size": 32, "timeout": 5, "max_idle": 60, "reconnect_timeout": 5},
        },
    }
