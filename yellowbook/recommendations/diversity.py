"""Choosing results that are not all alike: maximal marginal relevance.

Carbonell and Goldstein, The Use of MMR, Diversity-Based Reranking for Reordering Documents and Producing Summaries
(SIGIR 1998).
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.floating[Any]]

#: How much relevance counts against being unlike what was chosen already; the paper's lambda.
RELEVANCE_SHARE: Final = 0.7


def diverse(scores: Numbers, vectors: Numbers, *, limit: int, share: float = RELEVANCE_SHARE) -> list[int]:
    """Return the places of up to `limit` candidates, in the order in which they are chosen.

    `scores`, of shape (n,), say how relevant each is; `vectors`, of shape (n, d), are of unit norm. The next one is
    always that of the highest `share` * score - (1 - `share`) * (highest cosine to one that is chosen already), the
    first one of equals. The first of all is the most relevant.
    """
    relevance = share * np.asarray(scores, np.float64)
    vectors = np.asarray(vectors, np.float64)
    alike = np.full(len(relevance), -np.inf)
    chosen: list[int] = []
    left = np.ones(len(relevance), np.bool_)
    while len(chosen) < min(limit, len(relevance)):
        penalty = (1 - share) * alike if chosen else 0.0
        place = int(np.argmax(np.where(left, relevance - penalty, -np.inf)))
        chosen.append(place)
        left[place] = False
        np.maximum(alike, vectors @ vectors[place], out=alike)
    return chosen
