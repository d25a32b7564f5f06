"""Which subjects have changed: in their vector, or in a field that neighbours are narrowed by.

Each change is a row, written in the transaction that makes it and stamped with that transaction's number. So whoever
has read the vectors under a snapshot of the database can tell exactly which changes the snapshot did not show.
"""

from collections.abc import Sequence
from typing import Final, LiteralString
from uuid import UUID

from django.db import connection

from embeddings.blocks import Ids, as_ids
from jobs.duties import Duty, register

#: Seconds for which changes are kept: who has read the vectors earlier has to read them anew.
KEPT_FOR: Final = 3_600.0
#: Seconds between two prunings.
PRUNE_EVERY: Final = 60.0

_NOTE = "INSERT INTO embeddings_change (business_id) SELECT unnest(%s::uuid[])"
#: The subjects of changes that are visible now and were not in the snapshot, which is the one parameter, twice.
CHANGED_SINCE: LiteralString = """
SELECT business_id FROM embeddings_change
 WHERE xid >= pg_snapshot_xmin(%s::pg_snapshot) AND NOT pg_visible_in_snapshot(xid, %s::pg_snapshot)
"""
_PRUNE = "DELETE FROM embeddings_change WHERE noted_at < statement_timestamp() - %s * interval '1 second'"


def note_changes(ids: Sequence[UUID]) -> None:
    """Tell that subjects have changed, in the transaction that changes them."""
    if ids:
        with connection.cursor() as cursor:
            cursor.execute(_NOTE, [list(ids)])


def current_snapshot() -> str:
    """Return which transactions are visible now, as PostgreSQL writes it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_snapshot()::text")
        return str(cursor.fetchone()[0])


def changed_since(snapshot: str) -> Ids:
    """Return the subjects of the changes that are visible now and were not in `snapshot`."""
    with connection.cursor() as cursor:
        cursor.execute(CHANGED_SINCE, [snapshot, snapshot])
        return as_ids(list({business_id for (business_id,) in cursor.fetchall()}))


def prune() -> None:
    """Forget changes that are known to everybody by now."""
    with connection.cursor() as cursor:
        cursor.execute(_PRUNE, [KEPT_FOR])


register(Duty("vector-changes", PRUNE_EVERY, prune))
