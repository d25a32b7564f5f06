"""Writing computed lists: thousands of rows by one COPY and one statement."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
from django.conf import settings
from django.db import connection, transaction
from numpy.typing import NDArray

from embeddings.blocks import ID, Ids
from yellowbook.similarity.marks import TAKE_TURN, TURN_LOCK
from yellowbook.similarity.nearest import NOBODY, Best

#: What numbers PostgreSQL gives these types (pg_type.dat).
_UUID, _FLOAT4 = 2950, 700
_HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER: Final = b"\xff\xff"

#: Share of `SIMILAR_DAYS` over which the next times are spread.
SPREAD: Final = 0.1
#: Seconds between the beginning of a statement and what it sees, at most.
SLACK: Final = 60.0

_NEW: Final = """
CREATE TEMP TABLE IF NOT EXISTS similarity_new (
    business_id uuid, neighbours uuid[], scores real[], semantic real[], context real[], candidates int
) ON COMMIT DROP
"""
#: What an earlier call in the same transaction left.
_EMPTY: Final = "DELETE FROM similarity_new"
_COPY: Final = "COPY similarity_new FROM STDIN (FORMAT BINARY)"

#: Whoever is being deleted is left out, not waited for. An older result never replaces a newer one.
_STORE: Final = """
WITH there AS MATERIALIZED (
    SELECT id FROM directory_business WHERE id IN (SELECT business_id FROM similarity_new)
       FOR KEY SHARE SKIP LOCKED
)
INSERT INTO similarity_similarity AS stored
    (business_id, model, neighbours, scores, semantic, context, candidates, computed_at, next_compute_at)
SELECT business_id, %(model)s, neighbours, scores, semantic, context, candidates, %(at)s,
       %(at)s + (1 - %(spread)s * random()) * %(days)s * interval '1 day'
  FROM similarity_new JOIN there ON there.id = business_id
 ORDER BY business_id
    ON CONFLICT (business_id) DO UPDATE
   SET model = excluded.model, neighbours = excluded.neighbours, scores = excluded.scores,
       semantic = excluded.semantic, context = excluded.context, candidates = excluded.candidates,
       computed_at = excluded.computed_at, next_compute_at = excluded.next_compute_at
 WHERE stored.computed_at <= excluded.computed_at
"""

#: Listed businesses that changed unseen by the computation, and whose listers were looked for before these were there.
_MISSED: Final = """
SELECT DISTINCT business_id FROM similarity_mark
 WHERE told_at >= %(at)s - %(slack)s * interval '1 second'
   AND NOT pg_visible_in_snapshot(transaction::text::xid8, %(snapshot)s::pg_snapshot)
   AND transaction <> pg_current_xact_id()::text::bigint
"""
_MARK_LISTERS: Final = """
INSERT INTO similarity_mark (business_id, category)
SELECT id, category FROM directory_business JOIN similarity_new ON id = business_id
 WHERE neighbours && %(missed)s::uuid[]
"""
_UNMARK: Final = "DELETE FROM similarity_mark WHERE id = ANY(%s)"


@dataclass(frozen=True, slots=True)
class Moment:
    """When a computation began, and what was visible then."""

    at: datetime
    snapshot: str

    @classmethod
    def now(cls) -> "Moment":
        """Return the present one: what is read from now on is as new, or newer."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT statement_timestamp(), pg_current_snapshot()::text")
            return cls(*cursor.fetchone())


@dataclass(frozen=True, slots=True)
class Lists:
    """Computed lists: `ids` (n), `best` (n, k) with places in `candidates`, `compared` (n): with how many."""

    ids: Ids
    best: Best
    candidates: Ids
    compared: NDArray[np.int64]


def store(lists: Lists, marks: list[int], *, moment: Moment, model: str) -> None:
    """Store lists and delete the marks that they answer, in one short transaction."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(TAKE_TURN, [TURN_LOCK])
        if len(lists.ids):
            cursor.execute(_NEW)
            cursor.execute(_EMPTY)
            with cursor.copy(_COPY) as copy:
                copy.write(_HEADER)
                for part in _rows(lists):
                    copy.write(part)
                copy.write(_TRAILER)
            days = {"days": settings.SIMILAR_DAYS, "spread": SPREAD}
            cursor.execute(_STORE, {"model": model, "at": moment.at, **days})
            cursor.execute(_MISSED, {"at": moment.at, "snapshot": moment.snapshot, "slack": SLACK})
            missed = [row[0] for row in cursor.fetchall()]
            if missed:
                cursor.execute(_MARK_LISTERS, {"missed": missed})
        cursor.execute(_UNMARK, [marks])


def _rows(lists: Lists) -> list[bytes]:
    """Return rows in the binary form of COPY, those with equally many neighbours together: they are equally long."""
    counts = (lists.best.places != NOBODY).sum(axis=1)
    return [_rows_of(lists, np.flatnonzero(counts == count), int(count)) for count in np.unique(counts)]


def _rows_of(lists: Lists, rows: NDArray[np.int64], count: int) -> bytes:
    numbers = _array_of(count, np.dtype(">f4"))
    row = np.dtype(
        [
            ("fields", ">i2"),
            ("id_length", ">i4"),
            ("id", ID),
            ("neighbours", _array_of(count, ID)),
            ("scores", numbers),
            ("semantic", numbers),
            ("context", numbers),
            ("candidates_length", ">i4"),
            ("candidates", ">i4"),
        ]
    )
    made = np.zeros(len(rows), row)
    made["fields"], made["id_length"], made["candidates_length"] = 6, ID.itemsize, 4
    made["id"], made["candidates"] = lists.ids[rows], lists.compared[rows]
    best = lists.best
    neighbours = lists.candidates[best.places[rows, :count]] if count else np.empty((len(rows), 0), ID)
    _fill(made["neighbours"], neighbours, _UUID)
    for name in ("scores", "semantic", "context"):
        _fill(made[name], getattr(best, name)[rows, :count], _FLOAT4)
    return made.tobytes()


def _array_of(count: int, value: np.dtype[Any]) -> np.dtype[Any]:
    """Return the form of an array with one dimension, or with none when it is empty (PostgreSQL's `array_send`)."""
    head = [("length", ">i4"), ("dimensions", ">i4"), ("nulls", ">i4"), ("type", ">i4")]
    if not count:
        return np.dtype(head)
    items = ("items", [("length", ">i4"), ("value", value)], (count,))
    return np.dtype([*head, ("count", ">i4"), ("first", ">i4"), items])


def _fill(array: Any, values: Any, kind: int) -> None:
    """Write the values of a column of arrays."""
    count = values.shape[1]
    array["length"], array["type"] = array.dtype.itemsize - 4, kind
    if count:
        array["dimensions"], array["count"], array["first"] = 1, count, 1
        array["items"]["length"], array["items"]["value"] = array["items"]["value"].dtype.itemsize, values
