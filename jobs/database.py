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


def is_away(error: BaseException) -> bool:
    """Tell whether an error of `OPERATIONAL`, or psycopg's own, means that PostgreSQL can't be reached or hung up."""
    sqlstate = getattr(error if isinstance(error, psycopg.Error) else error.__cause__, "sqlstate", None)
    return sqlstate is None or sqlstate.startswith(_AWAY)


def note_failure(error: BaseException) -> bool:
    """Note an error of `OPERATIONAL`; return whether PostgreSQL is away."""
    away = is_away(error)
    if away:
        outage.database.trip(error)
    return away
