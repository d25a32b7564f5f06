"""The nearest neighbours of a vector among any subjects; the one place that compares vectors in SQL.

Exact wherever that is affordable: where the subjects are few, where there is no index (`embeddings.ann`), or where the
caller insists. Otherwise the index is walked until enough of the subjects were met.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import numpy as np
from django.db import connection, transaction
from django.db.models import Case, Exists, OuterRef, QuerySet, Value, When
from numpy.typing import NDArray
from pgvector import HalfVector
from pgvector.django import MaxInnerProduct

from embeddings.ann import has_index
from embeddings.current import current_model
from embeddings.models import Embedding

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


@dataclass(frozen=True, slots=True)
class Near:
    """A neighbour."""

    business_id: UUID
    #: Of the angle between both vectors, -1 to 1.
    cosine: float


def nearest(
    vector: NDArray[np.floating[Any]],
    subjects: QuerySet[Any],
    *,
    limit: int,
    model: str | None = None,
    exact: bool = False,
) -> list[Near]:
    """Return the up to `limit` subjects whose vectors by `model` (else the one that serves) are nearest to `vector`.

    `vector` has shape (768,) and norm 1, as stored ones have, so that the inner product is the cosine. The nearest
    come first, equally near ones in the order of their ids. With `exact` no index is used, however long it takes.
    """
    model = model or current_model()
    distance = MaxInnerProduct("vector", HalfVector(vector))
    rows = Embedding.objects.filter(model=model)
    if exact or not has_index(model) or _few(subjects):
        # With something added to the distance, it is not what the index is ordered by.
        rows = rows.filter(business_id__in=subjects.values("pk")).annotate(distance=distance + Value(0.0))
        return _read(rows.order_by("distance", "business_id"), limit)
    # As the condition of a CASE, the subjects stay a filter of the rows that the index yields; as a join, PostgreSQL
    # might rather sort all vectors.
    wanted = Case(When(Exists(subjects.filter(pk=OuterRef("business_id"))), then=True), default=False)
    with _walking():
        found = _read(rows.alias(wanted=wanted).filter(wanted=True).annotate(distance=distance), limit)
    return sorted(found, key=lambda near: (-near.cosine, near.business_id))


def _read(rows: QuerySet[Any], limit: int) -> list[Near]:
    ordered = rows if rows.query.order_by else rows.order_by("distance")
    return [Near(found, -distance) for found, distance in ordered.values_list("business_id", "distance")[:limit]]


def _few(subjects: QuerySet[Any]) -> bool:
    """Tell whether it pays to compare all of the subjects; looks at no more of them than it takes to know."""
    return subjects.order_by().values("pk")[: EXACT_UP_TO + 1].count() <= EXACT_UP_TO


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
