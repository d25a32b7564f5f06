"""Durations in a histogram: few numbers, whatever the number of jobs, that can be added up."""

from collections import Counter
from collections.abc import Iterable, Mapping

#: The upper bound of the first bucket, in seconds, and how much longer each next one reaches. A quantile read from the
#: histogram is within this factor of the exact one.
FIRST, FACTOR = 0.001, 1.5
#: Up to two days; what takes longer is in one last bucket.
BOUNDS = tuple(FIRST * FACTOR**power for power in range(47))

#: How many durations are in each bucket that has any; bucket 0 is up to the first bound.
Histogram = Mapping[int, int]


def added(histograms: Iterable[Histogram]) -> Counter[int]:
    """Return the sum of histograms."""
    total: Counter[int] = Counter()
    for histogram in histograms:
        total.update(histogram)
    return total


def quantile(histogram: Histogram, share: float) -> float | None:
    """Return the seconds that `share` of the durations do not exceed; None of an empty histogram.

    Within a bucket durations are taken to be spread evenly.
    """
    rank, below = share * sum(histogram.values()), 0
    for bucket in sorted(bucket for bucket, number in histogram.items() if number):
        number = histogram[bucket]
        if below + number >= rank:
            lower = BOUNDS[bucket - 1] if bucket else 0.0
            upper = BOUNDS[min(bucket, len(BOUNDS) - 1)]
            return lower + (upper - lower) * max(0.0, rank - below) / number
        below += number
    return None
