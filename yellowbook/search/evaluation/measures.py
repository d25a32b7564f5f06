"""Measures of a ranking with judgements of yes and no."""

import math
from collections.abc import Sequence

#: Results that count: a first page.
DEPTH = 10


def ndcg(relevant: Sequence[bool], total: int, *, depth: int = DEPTH) -> float:
    """Return the normalised discounted cumulative gain of the first `depth` results, 0 to 1.

    `relevant` says of each result, the best first, whether it answers the query; `total` businesses do in all. A gain
    of 1 at rank r counts 1 / log2(r + 1) (Järvelin and Kekäläinen 2002), divided by what the best ranking would get.
    """
    if total < 1:
        return 0.0
    gained = sum(1 / math.log2(rank + 1) for rank, hit in enumerate(relevant[:depth], 1) if hit)
    return gained / sum(1 / math.log2(rank + 1) for rank in range(1, min(depth, total) + 1))


def recall(relevant: Sequence[bool], total: int, *, depth: int = DEPTH) -> float:
    """Return how much of what could be on the first page is, 0 to 1: hits among `depth` / min(`depth`, `total`)."""
    return sum(relevant[:depth]) / min(depth, total) if total > 0 else 0.0


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that `share` (0 to 1) of all values do not exceed; 0 for none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0
