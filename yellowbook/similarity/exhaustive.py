"""The same as `nearest`, pair by pair in double precision: for the few businesses that have many equals.

Takes some twenty times as long for each.
"""

import numpy as np
from numpy.typing import NDArray

from embeddings.blocks import Block
from yellowbook.similarity.context import Scores, Traits, context_of, score_of
from yellowbook.similarity.nearest import NOBODY, Best, Places, find


class Exhaustive:
    """The nearest of some businesses among the candidates seen so far; takes what `nearest.Nearest` takes."""

    def __init__(
        self, traits: Traits, vectors: NDArray[np.float16], candidates: Traits, *, limit: int, floor: float
    ) -> None:
        self._traits, self._candidates = traits, candidates
        self._vectors = vectors.astype(np.float64)
        self._norms = np.einsum("ij,ij->i", self._vectors, self._vectors)
        self._limit, self._floor = limit, floor
        self._best = Best.empty(len(traits), limit)

    def see(self, block: Block) -> None:
        """Look at more candidates."""
        places, known = find(self._candidates.ids, block.ids)
        places = places[known]
        traits, vectors = self._candidates.take(places), block.vectors[known].astype(np.float64)
        # As exact as `nearest.exact_cosines`, for the same reason.
        norms = np.einsum("ij,ij->i", vectors, vectors)
        for row in range(len(self._traits)):
            semantic = vectors @ self._vectors[row] / np.sqrt(self._norms[row] * norms)
            context = context_of(self._traits.take(np.full(len(traits), row)), traits)
            score = score_of(semantic, context)
            score[traits.ids == self._traits.ids[row]] = -np.inf
            self._keep(row, places, score, semantic, context)

    def _keep(self, row: int, places: Places, scores: Scores, semantic: Scores, context: Scores) -> None:
        """Merge one business's scores into what is kept of it."""
        best = self._best
        least = max(self._floor, np.partition(scores, -self._limit)[-self._limit] if len(scores) > self._limit else -1)
        near = np.flatnonzero(scores >= least)
        there = np.flatnonzero(best.places[row] != NOBODY)
        parts = [
            np.concatenate([old[row][there], new[near]])
            for old, new in zip(best, (places, scores, semantic, context), strict=True)
        ]
        order = np.lexsort((parts[0], -parts[1]))[: self._limit]
        for kept, part in zip(best, parts, strict=True):
            kept[row, : len(order)] = part[order]

    def best(self) -> Best:
        """Return the nearest."""
        return self._best
