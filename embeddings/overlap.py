"""How alike two models see the businesses: the overlap of the nearest neighbours that each of them finds.

Exact, without an index: the vectors of both models are read once, page by page, and compared with a sample of them. So
memory does not grow with the number of businesses.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from embeddings.providers.base import DIMENSIONS

Matrix = NDArray[np.float32]

#: Neighbours that are compared.
NEIGHBOURS = 10
#: Businesses that are read at a time: 12 MB as numbers.
PAGE = 2_000
#: Decimals of a similarity that count. Stored numbers have three digits; beyond them two equal texts could differ.
DECIMALS = 6
#: Bytes before the numbers in what `halfvec_send` returns: the dimensions, and two that are unused.
_HEADER = 4

#: Only vectors of one text are compared: two texts would be told apart, not two models.
_BOTH = """
  FROM embeddings_embedding AS old JOIN embeddings_embedding AS new USING (business_id, text_hash)
 WHERE old.model = %(old)s AND new.model = %(new)s
"""
_COUNT = f"SELECT count(*) {_BOTH}"
_SAMPLE = f"SELECT business_id {_BOTH} ORDER BY md5(business_id::text || %(seed)s), business_id LIMIT %(limit)s"
_COLUMNS = "SELECT business_id, halfvec_send(old.vector), halfvec_send(new.vector)"
_CHOSEN = f"{_COLUMNS} {_BOTH} AND business_id = ANY(%(ids)s) ORDER BY business_id"
_NEXT = f"{_COLUMNS} {_BOTH} AND business_id > %(after)s ORDER BY business_id LIMIT %(limit)s"


@dataclass(frozen=True, slots=True)
class Overlap:
    """The share of nearest neighbours that both models name, 0 to 1, over a sample of businesses."""

    #: Businesses with a vector of one text by both models, and how many of them were asked for their neighbours.
    businesses: int
    sampled: int
    #: Neighbours of each: 10, or all others where there are fewer.
    neighbours: int
    mean: float
    worst: float
    worst_business: UUID


@dataclass(frozen=True, slots=True)
class _Page:
    ids: list[UUID]
    old: Matrix
    new: Matrix


class _Nearest:
    """The nearest neighbours of some businesses by one model, among the vectors seen so far."""

    def __init__(self, vectors: Matrix, neighbours: int) -> None:
        self._vectors = vectors
        self._similarities = np.full((len(vectors), neighbours), -np.inf, dtype=np.float32)
        self.places = np.full((len(vectors), neighbours), -1)

    def see(self, vectors: Matrix, first_place: int, own: list[tuple[int, int]]) -> None:
        """Look at more vectors, at places from `first_place` on; `own` names (row, column) of each with itself.

        Of equal similarities the earlier place counts as nearer, with both models alike.
        """
        found = np.round(self._vectors @ vectors.T, DECIMALS)
        for row, column in own:
            found[row, column] = -np.inf
        places = np.broadcast_to(np.arange(first_place, first_place + len(vectors)), found.shape)
        similarities, places = np.hstack([self._similarities, found]), np.hstack([self.places, places])
        order = np.argsort(-similarities, axis=1, kind="stable")[:, : self.places.shape[1]]
        self._similarities = np.take_along_axis(similarities, order, axis=1)
        self.places = np.take_along_axis(places, order, axis=1)


def overlap(old: str, new: str, *, sample: int, seed: str = "") -> Overlap | None:
    """Compare the neighbours that two models find for a sample of businesses, the same one for the same `seed`.

    None when fewer than two businesses have vectors by both, or `sample` is 0: there is nothing to compare.
    """
    models = {"old": old, "new": new}
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, models)
        businesses = int(cursor.fetchone()[0])
        cursor.execute(_SAMPLE, {**models, "seed": seed, "limit": sample})
        ids = [row[0] for row in cursor.fetchall()]
    neighbours = min(NEIGHBOURS, businesses - 1)
    chosen = _read(_CHOSEN, {**models, "ids": ids})
    if neighbours < 1 or not chosen.ids:
        return None
    rows = {business_id: row for row, business_id in enumerate(chosen.ids)}
    by_old, by_new = _Nearest(chosen.old, neighbours), _Nearest(chosen.new, neighbours)
    place = 0
    for page in _pages(old, new):
        own = [(rows[each], column) for column, each in enumerate(page.ids) if each in rows]
        by_old.see(page.old, place, own)
        by_new.see(page.new, place, own)
        place += len(page.ids)
    shares = [
        len(set(of_old) & set(of_new)) / neighbours
        for of_old, of_new in zip(by_old.places.tolist(), by_new.places.tolist(), strict=True)
    ]
    worst = int(np.argmin(shares))
    return Overlap(businesses, len(shares), neighbours, float(np.mean(shares)), shares[worst], chosen.ids[worst])


def _pages(old: str, new: str) -> Iterator[_Page]:
    after = UUID(int=0)
    while True:
        page = _read(_NEXT, {"old": old, "new": new, "after": after, "limit": PAGE})
        if page.ids:
            yield page
        if len(page.ids) < PAGE:
            return
        after = page.ids[-1]


def _read(statement: str, parameters: dict[str, object]) -> _Page:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)  # type: ignore[arg-type]
        found = cursor.fetchall()
    return _Page([row[0] for row in found], _unit([row[1] for row in found]), _unit([row[2] for row in found]))


def _unit(sent: list[bytes]) -> Matrix:
    """Turn vectors, as PostgreSQL sends them, into rows of length 1: their products are their cosines."""
    if not sent:
        return np.empty((0, DIMENSIONS), dtype=np.float32)
    raw = np.frombuffer(b"".join(sent), dtype=np.uint8).reshape(len(sent), -1)
    rows = np.ascontiguousarray(raw[:, _HEADER:]).view(">f2").astype(np.float32)
    unit: Matrix = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit
