"""The exact top k of the score, for many businesses at once, over candidates that come in blocks.

Scores are computed in single precision by matrix products, tile by tile. Where single precision can't tell which of two
is higher, both are computed anew in double precision, in which the products of half-precision numbers are exact. So the
result is that of computing every pair in double precision, equal scores in the order of their ids.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from embeddings.blocks import Block, Ids
from yellowbook.similarity.context import (
    CITY_IN_REACH,
    CONTEXT_WEIGHT,
    LEVELS,
    NOWHERE,
    PRICES,
    SAME_CATEGORY,
    SAME_CITY,
    SEMANTIC_WEIGHT,
    Scores,
    Traits,
    context_of,
    score_of,
)

Matrix = NDArray[np.float32]
Places = NDArray[np.int64]
#: Returns the vectors of businesses by id, in no particular order; those that are gone are left out.
Fetch = Callable[[Ids], Block]

#: How far two scores may be apart that single precision could confuse: twice the bound of the rounding error of an
#: inner product, n x 2**-24 for unit vectors of n = 768 (Higham, Accuracy and Stability of Numerical Algorithms, 3.1).
MARGIN: Final = 1e-4
#: Rows and columns of a tile: 4 MB of scores, which stay in the processor's cache.
TILE_ROWS, TILE_COLUMNS = 256, 4_096
#: Candidates that are kept of each business besides its k nearest, as long as `MARGIN` can't tell them from those.
SPARE: Final = 32
#: Pairs that are computed anew at a time: 25 MB as numbers of double precision.
PAIRS: Final = 2_048
#: No candidate.
NOBODY: Final = -1


class Best(NamedTuple):
    """The k nearest of n businesses, each an array of shape (n, k), the highest scores first."""

    #: Among the candidates; `NOBODY` where there are fewer than k.
    places: Places
    scores: Scores
    semantic: Scores
    context: Scores

    @classmethod
    def empty(cls, rows: int, limit: int) -> "Best":
        """Return room for them."""
        parts = (np.full((rows, limit), -np.inf) for _ in range(3))
        return cls(np.full((rows, limit), NOBODY, np.int64), *parts)


class Nearest:
    """The nearest of some businesses among the candidates seen so far.

    `traits` and `vectors` (shape (n, 768), half precision) are of the businesses, `candidates` of all that may be seen.
    Whoever is a candidate too is not compared with itself. Scores below `floor` don't count.
    """

    def __init__(
        self, traits: Traits, vectors: NDArray[np.float16], candidates: Traits, *, limit: int, floor: float
    ) -> None:
        self._traits, self._vectors, self._candidates = traits, vectors, candidates
        self._limit, self._floor = limit, floor
        self._left = np.hstack([SEMANTIC_WEIGHT * _unit(vectors), _profiles(traits)])
        width = limit + SPARE
        self._scores = np.full((len(traits), width), -np.inf, np.float32)
        self._places = np.full((len(traits), width), NOBODY, np.int64)
        #: The least approximate score that may belong to one of the k nearest.
        self._cut = np.full(len(traits), floor - MARGIN, np.float32)
        #: The best score that found no room.
        self._left_out = np.full(len(traits), -np.inf, np.float32)
        self.seen = np.zeros(len(traits), np.int64)

    def see(self, block: Block) -> None:
        """Look at more candidates."""
        places, known = find(self._candidates.ids, block.ids)
        there = np.flatnonzero(known)
        in_order = there[np.argsort(places[there])]
        places = places[in_order]
        traits = self._candidates.take(places)
        right = np.hstack([_unit(block.vectors[in_order]), _profile_of(traits)])
        own, is_own = find(traits.ids, self._traits.ids)
        self.seen += len(traits) - is_own
        own[~is_own] = NOBODY
        for row in range(0, len(self._traits), TILE_ROWS):
            rows = slice(row, min(row + TILE_ROWS, len(self._traits)))
            ours = self._traits.take(rows)
            for column in range(0, len(traits), TILE_COLUMNS):
                columns = slice(column, column + TILE_COLUMNS)
                tile = self._left[rows] @ right[columns].T
                _add_places(tile, ours, traits.take(columns))
                here = np.flatnonzero((own[rows] >= column) & (own[rows] < column + TILE_COLUMNS))
                tile[here, own[rows][here] - column] = -np.inf
                self._keep(rows, tile, places[columns])

    def _keep(self, rows: slice, tile: Matrix, places: Places) -> None:
        """Merge a tile's best into what is kept."""
        cut = np.maximum(self._cut[rows], _lower_bound(tile, self._limit) - MARGIN)
        hits = np.flatnonzero(tile >= cut[:, None])
        if not len(hits):
            return
        row, column = np.divmod(hits, tile.shape[1])
        counts = np.bincount(row, minlength=len(tile))
        within = np.arange(len(hits)) - np.repeat(np.cumsum(counts) - counts, counts)
        width = self._scores.shape[1]
        scores = np.full((len(tile), width + int(counts.max())), -np.inf, np.float32)
        found = np.full(scores.shape, NOBODY, np.int64)
        scores[:, :width], found[:, :width] = self._scores[rows], self._places[rows]
        scores[row, width + within], found[row, width + within] = tile.ravel()[hits], places[column]
        order = np.argsort(-scores, axis=1, kind="stable")[:, : width + 1]
        best = np.take_along_axis(scores, order, axis=1)
        self._scores[rows] = best[:, :width]
        self._places[rows] = np.take_along_axis(found, order[:, :width], axis=1)
        self._cut[rows] = np.maximum(cut, best[:, self._limit - 1] - MARGIN)
        self._left_out[rows] = np.maximum(self._left_out[rows], best[:, width])

    @property
    def crowded(self) -> Places:
        """The rows that `best` can't tell: too many candidates are as near as the last of the nearest."""
        return np.flatnonzero(self._left_out >= self._cut)

    def best(self, fetch: Fetch) -> Best:
        """Return the nearest; those of `crowded` may be wrong."""
        places = self._places
        there = places != NOBODY
        context = np.zeros(places.shape)
        row, column = np.nonzero(there)
        context[row, column] = context_of(self._traits.take(row), self._candidates.take(places[row, column]))
        semantic = (self._scores - CONTEXT_WEIGHT * context) / SEMANTIC_WEIGHT
        scores = np.where(there, self._scores.astype(np.float64), -np.inf)
        row, column = np.nonzero(self._doubtful())
        exact = self._cosines(row, self._candidates.ids[places[row, column]], fetch)
        semantic[row, column] = exact
        scores[row, column] = np.where(np.isnan(exact), -np.inf, score_of(exact, context[row, column]))
        scores[scores < self._floor] = -np.inf
        order = np.lexsort((places, -scores), axis=1)[:, : self._limit]
        best = Best(*(np.take_along_axis(each, order, axis=1) for each in (places, scores, semantic, context)))
        best.places[np.isneginf(best.scores)] = NOBODY
        return best

    def _doubtful(self) -> NDArray[np.bool_]:
        """Tell whose place single precision can't tell: it is too near its neighbour in the order, or the threshold."""
        there = (self._places != NOBODY) & (self._scores >= self._cut[:, None])
        with np.errstate(invalid="ignore"):
            close = (self._scores[:, :-1] - self._scores[:, 1:] < MARGIN) & there[:, 1:]
        doubtful: NDArray[np.bool_] = there & (np.abs(self._scores - self._floor) < MARGIN)
        doubtful[:, 1:] |= close
        doubtful[:, :-1] |= close
        return doubtful

    def _cosines(self, rows: Places, ids: Ids, fetch: Fetch) -> Scores:
        """Return the cosine of each pair in double precision; NaN for what is gone."""
        cosines = np.full(len(rows), np.nan)
        wanted, back = np.unique(ids, return_inverse=True)
        for start in range(0, len(wanted), PAIRS):
            block = fetch(wanted[start : start + PAIRS])
            order = np.argsort(block.ids)
            found, vectors = block.ids[order], block.vectors[order]
            pairs = np.flatnonzero((back >= start) & (back < start + PAIRS))
            for part in np.array_split(pairs, max(1, -(-len(pairs) // PAIRS))):
                places, known = find(found, ids[part])
                part, places = part[known], places[known]
                cosines[part] = exact_cosines(self._vectors[rows[part]], vectors[places])
        return cosines


def exact_cosines(one: NDArray[np.float16], other: NDArray[np.float16]) -> Scores:
    """Return the cosine of each pair of rows.

    Products of half-precision numbers are multiples of 2**-48, and so are their sums, which stay below 16: in double
    precision, with 53 bits, no addition rounds, whatever its order. Equal vectors have the cosine 1.
    """
    left, right = one.astype(np.float64), other.astype(np.float64)
    inner = np.einsum("ij,ij->i", left, right)
    norms = np.einsum("ij,ij->i", left, left) * np.einsum("ij,ij->i", right, right)
    cosines: Scores = inner / np.sqrt(norms)
    return cosines


def _unit(vectors: NDArray[np.float16]) -> Matrix:
    rows = vectors.astype(np.float32)
    rows /= np.sqrt(np.einsum("ij,ij->i", rows, rows))[:, None]
    return rows


#: What price levels and reach come to, for each profile of both: it becomes part of the inner product.
_REACH = np.maximum.outer([0.0, 1.0], [0.0, 1.0]) * CITY_IN_REACH
_CONTEXTS: Final = (
    CONTEXT_WEIGHT * (PRICES[:, None, :, None] + _REACH[None, :, None, :]).reshape(LEVELS * 2, LEVELS * 2)
).astype(np.float32)


def _profile(traits: Traits) -> NDArray[np.int64]:
    return traits.price.astype(np.int64) * 2 + traits.reaches


def _profiles(traits: Traits) -> Matrix:
    """Return what each profile of a candidate would add to a business's scores."""
    rows: Matrix = _CONTEXTS[_profile(traits)]
    return rows


def _profile_of(traits: Traits) -> Matrix:
    """Return a 1 for a candidate's own profile, and 0 for the others."""
    rows: Matrix = np.eye(LEVELS * 2, dtype=np.float32)[_profile(traits)]
    return rows


def _add_places(tile: Matrix, ours: Traits, theirs: Traits) -> None:
    """Add what the same category and the same city come to, which the profiles don't hold."""
    if len(ours) and (ours.category == ours.category[0]).all() and (theirs.category == ours.category[0]).all():
        tile += np.float32(CONTEXT_WEIGHT * SAME_CATEGORY)
    else:
        same = ours.category[:, None] == theirs.category[None, :]
        tile += same * np.float32(CONTEXT_WEIGHT * SAME_CATEGORY)
    # Whoever reaches other cities has a part of it already.
    for one, other, weight in (
        (_only(ours, ours.city != NOWHERE, -1), _only(theirs, theirs.city != NOWHERE, -2), SAME_CITY - CITY_IN_REACH),
        (_only(ours, ~ours.reaches, -1), _only(theirs, ~theirs.reaches, -2), CITY_IN_REACH),
    ):
        tile += (one[:, None] == other[None, :]) * np.float32(CONTEXT_WEIGHT * weight)


def _only(traits: Traits, which: NDArray[np.bool_], other: int) -> NDArray[np.int32]:
    """Return the cities of some, and for the rest a number that is no city."""
    return np.where(which, traits.city, np.int32(other))


def _lower_bound(tile: Matrix, limit: int) -> Matrix:
    """Return a score for each row that at least `limit` of its scores reach: the `limit`th of the bests of groups."""
    rows, columns = tile.shape
    groups = min(columns, 8 * limit)
    size = columns // groups
    if groups < limit or size < 2:
        return np.full(rows, -np.inf, np.float32)
    bests = tile[:, : groups * size].reshape(rows, size, groups).max(axis=1)
    bound: Matrix = np.partition(bests, groups - limit, axis=1)[:, groups - limit]
    return bound


def find(ids: Ids, wanted: Ids) -> tuple[Places, NDArray[np.bool_]]:
    """Return where each of `wanted` is among sorted `ids`, and whether it is."""
    if not len(ids):
        return np.zeros(len(wanted), np.int64), np.zeros(len(wanted), np.bool_)
    places = np.minimum(np.searchsorted(ids, wanted), len(ids) - 1)
    return places, ids[places] == wanted
