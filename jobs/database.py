"""Telling a PostgreSQL that is away from one that refuses a statement."""

from typing import Final

import psycopg
from django.db import InterfaceError, OperationalError

from jobs import outage

#: What Django raises when PostgreSQL is away, among other things.
OPERATIONAL: Final = (OperationalError, InterfaceError)

#: Classes of SQLSTATE that mean the connection or the server: connection exception, insufficient resources (too many
#: connections), operator intervention (shutdown, restart, a terminated backend). PostgreSQL manual, appendix A.
_AWAY: Final = ("08", "53", "57P")


#: SQLSTATE of a write where only reading is allowed: at a replica.
_READ_ONLY: Final = "25006"


def is_away(error: BaseException) -> bool:
    """Tell whether an error of `OPERATIONAL`, or psycopg's own, means that PostgreSQL can't be reached or hung up."""
    sqlstate = _sqlstate(error)
    return sqlstate is None or sqlstate.startswith(_AWAY)


def is_read_only(error: BaseException) -> bool:
    """Tell whether an error means that what is there is a replica, which takes no writes."""
    return _sqlstate(error) == _READ_ONLY


def _sqlstate(error: BaseException) -> str | None:
    found: str | None = getattr(error if isinstance(error, psycopg.Error) else error.__cause__, "sqlstate", None)
    return found


def note_failure(error: BaseException) -> bool:
    """Note an error of `OPERATIONAL`; return whether PostgreSQL is away."""
    away = is_away(error)
    if away:
        outage.database.trip(error)
    return away
