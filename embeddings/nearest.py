"""The nearest neighbours of a vector among any subjects; the one place that compares vectors in SQL.

There are three ways. A scan compares all of the subjects: exact, and taken wherever that is affordable or asked for.
Sketches in the memory of the process (`embeddings.sketches`) name a few hundred candidates, which are compared exactly.
Where there are too many vectors for either, the index (`embeddings.ann`) is walked until enough subjects were met.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, LiteralString
from uuid import UUID

import numpy as np
from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import Case, Exists, OuterRef, QuerySet, Value, When
from django.db.models.expressions import RawSQL
from numpy.typing import NDArray
from pgvector import HalfVector
from pgvector.django import MaxInnerProduct

from embeddings.ann import has_index
from embeddings.blocks import as_array
from embeddings.current import current_model
from embeddings.models import Embedding
from embeddings.sketches.changes import CHANGED_SINCE
from embeddings.sketches.keeper import keeper
from embeddings.sketches.table import Candidates
from embeddings.vectors import as_text

#: Subjects up to which all of them are compared although there is an index: each takes about 2 microseconds.
EXACT_UP_TO: Final = 6_000
#: How PostgreSQL walks over the index: the candidates that it keeps in mind, and the rows after which it gives up.
#: Short queries lie apart from all documents: with fewer candidates it would end in the wrong neighbourhood.
WALK: Final = {
    "hnsw.ef_search": "400",
    "hnsw.iterative_scan": "relaxed_order",
    "hnsw.max_scan_tuples": "40000",
}
_NO_OTHER_WAY: Final = dict.fromkeys(("enable_seqscan", "enable_bitmapscan", "enable_sort"), "off")


Vector = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Near:
    """A neighbour."""

    business_id: UUID
    #: Of the angle between both vectors, -1 to 1.
    cosine: float


@dataclass(frozen=True, slots=True)
class Shortlist:
    """The candidates for the nearest of a vector, by the sketches in this process's memory."""

    candidates: Candidates
    #: What of the database the sketches show, as PostgreSQL writes it.
    snapshot: str


def shortlist(
    vector: Vector, *, limit: int, model: str | None = None, narrowed: Mapping[str, object] | None = None
) -> Shortlist | None:
    """Return what `nearest` will look at for the same arguments; None where it does so otherwise.

    It asks the database next to nothing, so a caller may do it while the database is at something else.
    """
    sketches = keeper.sketches_of(model or current_model())
    if sketches is None:
        return None
    return Shortlist(sketches.candidates(vector, narrowed or {}, limit), sketches.snapshot)


def nearest(
    vector: Vector,
    subjects: QuerySet[Any],
    *,
    limit: int,
    model: str | None = None,
    exact: bool = False,
    narrowed: Mapping[str, object] | None = None,
    listed: Shortlist | None = None,
) -> list[Near]:
    """Return the up to `limit` subjects whose vectors by `model` (else the one that serves) are nearest to `vector`.

    `vector` has shape (768,) and norm 1, as stored ones have, so that the inner product is the cosine. The nearest
    come first, equally near ones in the order of their ids. With `exact` all of them are compared, however long it
    takes.

    `narrowed` says which values all of `subjects` have in the fields that `TextSource.facets` names, as far as the
    caller knows: it spares looking at others. `listed` is the `shortlist` for the same arguments where it was made
    before.
    """
    model = model or current_model()
    if not exact:
        listed = listed or shortlist(vector, limit=limit, model=model, narrowed=narrowed)
    if listed is not None:
        found = _among(listed, vector, subjects, model, limit)
        if found is not None:
            return found
    if exact or not has_index(model) or _few(subjects):
        return _by_scan(vector, subjects, model, limit)
    return _by_walk(vector, subjects, model, limit)


def _few(subjects: QuerySet[Any]) -> bool:
    """Tell whether it pays to compare all of the subjects; looks at no more of them than it takes to know."""
    return subjects.order_by().values("pk")[: EXACT_UP_TO + 1].count() <= EXACT_UP_TO


def _by_scan(vector: Vector, subjects: QuerySet[Any], model: str, limit: int) -> list[Near]:
    # With something added to the distance, it is not what the index is ordered by.
    compared = MaxInnerProduct("vector", HalfVector(vector)) + Value(0.0)
    rows = Embedding.objects.filter(model=model, business_id__in=subjects.values("pk")).annotate(distance=compared)
    return _read(rows.order_by("distance", "business_id"), limit)


def _by_walk(vector: Vector, subjects: QuerySet[Any], model: str, limit: int) -> list[Near]:
    # As the condition of a CASE, the subjects stay a filter of the rows that the index yields; as a join, PostgreSQL
    # might rather sort all vectors.
    wanted = Case(When(Exists(subjects.filter(pk=OuterRef("business_id"))), then=True), default=False)
    rows = Embedding.objects.filter(model=model).alias(wanted=wanted).filter(wanted=True)
    with _walking():
        found = _read(rows.annotate(distance=MaxInnerProduct("vector", HalfVector(vector))).order_by("distance"), limit)
    return sorted(found, key=lambda near: (-near.cosine, near.business_id))


#: Candidates, and whatever has changed since the sketches were made, as far as they are among the subjects: the nearest
#: are asked about that until enough are. In plain SQL: composing it otherwise takes as long as running it.
_BEST_OF: LiteralString = """
SELECT business_id, distance
  FROM (SELECT business_id, vector <#> %s::halfvec AS distance
          FROM embeddings_embedding
         WHERE model = %s AND business_id = ANY(%s::uuid[] || ARRAY({changed}))
         ORDER BY distance, business_id OFFSET 0) AS stored
 WHERE CASE WHEN EXISTS ({subjects}) THEN true END
 ORDER BY distance, business_id LIMIT %s
"""


def _among(listed: Shortlist, vector: Vector, subjects: QuerySet[Any], model: str, limit: int) -> list[Near] | None:
    """Return the nearest of the candidates; None when too few of them are among the subjects, and there are others."""
    itself = subjects.order_by().filter(pk=RawSQL("stored.business_id", ())).values("pk")
    try:
        sql, given = itself.query.sql_with_params()
    except EmptyResultSet:
        return []
    since = [listed.snapshot] * 2
    with connection.cursor() as cursor:
        cursor.execute(
            _BEST_OF.format(changed=CHANGED_SINCE, subjects=sql),
            [as_text(HalfVector(vector)), model, as_array(listed.candidates.ids), *since, *given, limit],
        )
        found = [Near(business_id, -distance) for business_id, distance in cursor.fetchall()]
    return found if len(found) >= limit or listed.candidates.are_all else None


def _read(rows: QuerySet[Any], limit: int) -> list[Near]:
    return [Near(found, -distance) for found, distance in rows.values_list("business_id", "distance")[:limit]]


@contextmanager
def _walking() -> Iterator[None]:
    """Have PostgreSQL walk over the index, whatever it thinks of the costs; only inside."""
    nested = connection.in_atomic_block
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        cursor.execute("; ".join(f"SET LOCAL {name} = {value}" for name, value in {**WALK, **_NO_OTHER_WAY}.items()))
        yield
        if nested:
            # Whatever else the transaction asks has all ways open again.
            cursor.execute("; ".join(f"SET LOCAL {name} = on" for name in _NO_OTHER_WAY))
