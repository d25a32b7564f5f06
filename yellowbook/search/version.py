"""The version of what searches find. Part of the key of every kept answer, so that a change outdates them all at once.

It is counted in PostgreSQL, with the changes themselves: a crash or an outage of Redis outdates neither too little nor
too late.
"""

from typing import LiteralString

from django.conf import settings
from django.db import connection

from embeddings.current import CHOSEN, configured_model
from embeddings.providers import vendor
from jobs.duties import Duty, register

#: Seconds between two merges.
MERGE_EVERY = 5.0

#: With it, which database it is: one that was made anew counts from the beginning.
_VERSION: LiteralString = """
SELECT (SELECT oid FROM pg_database WHERE datname = current_database()) || '.' || coalesce(sum(changes), 0)
  FROM search_change
"""
#: Asked with every search, so in one statement.
_SERVING: LiteralString = f"SELECT ({CHOSEN}), ({_VERSION})"
_MERGE = """
WITH gone AS (DELETE FROM search_change RETURNING changes)
INSERT INTO search_change (changes) SELECT sum(changes) FROM gone HAVING count(*) > 0
"""


def current_version() -> str:
    """Return the version, one of this server's; one small query."""
    with connection.cursor() as cursor:
        cursor.execute(_VERSION)
        return str(cursor.fetchone()[0])


def serving() -> tuple[str, str]:
    """Return the name of the model that serves, and the version; one small query."""
    with connection.cursor() as cursor:
        cursor.execute(_SERVING, [vendor(settings.EMBEDDING_PROVIDER)])
        model, version = cursor.fetchone()
    return model or configured_model(), version


def note_change() -> None:
    """Count a change; call it in the transaction that makes it."""
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO search_change (changes) VALUES (1)")


def merge_changes() -> None:
    """Make one row of all of them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM search_change")
        if cursor.fetchone()[0] > 1:
            cursor.execute(_MERGE)


register(Duty("search-version", MERGE_EVERY, merge_changes))
