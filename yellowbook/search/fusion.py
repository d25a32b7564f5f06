"""One ranking out of several."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Final, TypeVar

#: Reciprocal rank fusion's constant: how little the first place differs from the next ones. Cormack, Clarke and
#: Büttcher (2009) found 60 for pools of 1,000; pools of 100 do better with 10 (`manage.py evaluate_search`).
K: Final = 10

Item = TypeVar("Item", bound=Hashable)


def fuse(rankings: Iterable[tuple[Sequence[Item], Sequence[float]]], *, k: int = K) -> dict[Item, float]:
    """Return the score of every item by reciprocal rank fusion: the sum of weight / (k + rank) over the rankings.

    Each ranking comes with the weights of its items; ranks begin with 1. The best come first, equal ones in the order
    in which the rankings first name them.
    """
    scores: dict[Item, float] = {}
    for ranking, weights in rankings:
        for rank, (item, weight) in enumerate(zip(ranking, weights, strict=True), 1):
            scores[item] = scores.get(item, 0.0) + weight / (k + rank)
    return best_first(scores)


def with_groups(
    scores: Mapping[Item, float], groups: Mapping[Item, str], *, depth: int, weight: float, k: int = K
) -> dict[Item, float]:
    """Add to each score weight / (k + rank of the item's group); the best come first.

    Groups are ranked by the sum of the scores of their items among the first `depth`. What is relevant is alike
    (van Rijsbergen's cluster hypothesis): a dentist below nine dentists is a better guess than a toothbrush factory.
    """
    sums: dict[str, float] = {}
    for item in list(scores)[:depth]:
        if item in groups:
            sums[groups[item]] = sums.get(groups[item], 0.0) + scores[item]
    ranks = {group: rank for rank, group in enumerate(best_first(sums), 1)}
    lowest = len(ranks) + 1
    return best_first(
        {item: score + weight / (k + ranks.get(groups.get(item, ""), lowest)) for item, score in scores.items()}
    )


def best_first(scores: Mapping[Item, float]) -> dict[Item, float]:
    """Return the same, the highest first; equal ones keep their order."""
    return dict(sorted(scores.items(), key=lambda scored: -scored[1]))
