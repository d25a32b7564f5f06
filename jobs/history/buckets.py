"""Durations in a histogram: few numbers, whatever the number of jobs, that can be added up."""

from collections.abc import Sequence

#: The upper bound of the first bucket, in seconds, and how much longer each next one reaches. A quantile read from the
#: histogram is within this factor of the exact one.
FIRST, FACTOR = 0.001, 1.5
#: Up to two days; what takes longer is in one last bucket.
BOUNDS = tuple(FIRST * FACTOR**power for power in range(47))
#: How many numbers a histogram has.
BUCKETS = len(BOUNDS) + 1


def added(*histograms: Sequence[int]) -> list[int]:
    """Return the sum of histograms; of none, an empty one."""
    return [sum(column) for column in zip(*histograms, strict=True)] if histograms else [0] * BUCKETS


def quantile(histogram: Sequence[int], share: float) -> float | None:
    """Return the seconds that `share` of the durations do not exceed; None of an empty histogram.

    Within a bucket durations are taken to be spread evenly.
    """
    total = sum(histogram)
    if not total:
        return None
    rank, below = share * total, 0
    for bucket, number in enumerate(histogram):
        if number and below + number >= rank:
            lower = BOUNDS[bucket - 1] if bucket else 0.0
            upper = BOUNDS[bucket] if bucket < len(BOUNDS) else BOUNDS[-1]
            return lower + (upper - lower) * max(0.0, rank - below) / number
        below += number
    return BOUNDS[-1]
