"""Questions to the database that may be asked every few seconds."""

from collections.abc import Mapping
from typing import Any, LiteralString

from django.db import connection, transaction

#: Milliseconds after which a question is given up: its answer is not worth more of the database's time.
PATIENCE = 1000

#: Rows are counted up to here; beyond, "10,000 or more" says as much as the exact number.
COUNT_LIMIT = 10_000


#: For the length of a question. Each is asked so that an index gives its first rows in order; a planner without fresh
#: statistics, right after a bulk run, would rather read and sort the whole table.
_SETTINGS = """
SELECT set_config('statement_timeout', %s, true), set_config('enable_seqscan', 'off', true),
       set_config('enable_bitmapscan', 'off', true), set_config('enable_sort', 'off', true)
"""


def ask(question: LiteralString, parameters: Mapping[str, Any] | None = None) -> tuple[Any, ...]:
    """Return the one row that answers `question`. Raises `django.db.DatabaseError`, and `LookupError` for no row."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_SETTINGS, [str(PATIENCE)])
        cursor.execute(question, parameters)
        row: tuple[Any, ...] | None = cursor.fetchone()
    if row is None:
        raise LookupError("the database gave no answer")
    return row


def limit_beyond(threshold: float) -> int:
    """Return how far to count in order to tell whether there are more than `threshold`."""
    return max(COUNT_LIMIT, int(threshold) + 1)


def counted(count: int, limit: int) -> str:
    """Return a count that was made up to `limit` as a person reads it."""
    return f"{count:,}" if count < limit else f"{limit:,} or more"
