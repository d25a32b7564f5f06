"""Histograms of durations."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from jobs.history.buckets import BOUNDS, FACTOR, added, quantile

DURATIONS = st.lists(st.floats(min_value=0.001, max_value=100_000), min_size=1, max_size=200)


def histogram(durations: list[float]) -> Counter[int]:
    """Count as PostgreSQL's width_bucket does."""
    return Counter(sum(bound <= duration for bound in BOUNDS) for duration in durations)


@given(DURATIONS, st.sampled_from([0.5, 0.95, 0.99]))
def test_a_quantile_is_within_a_bucket_of_the_exact_one(durations: list[float], share: float) -> None:
    ordered = sorted(durations)
    exact = next(value for rank, value in enumerate(ordered, 1) if rank >= share * len(ordered))
    found = quantile(histogram(durations), share)
    assert exact / FACTOR <= found * 1.000001
    assert found <= exact * FACTOR * 1.000001


@given(DURATIONS, DURATIONS)
def test_histograms_of_parts_add_up_to_that_of_the_whole(some: list[float], others: list[float]) -> None:
    assert added([histogram(some), histogram(others)]) == histogram(some + others)


def test_of_nothing_there_is_no_quantile() -> None:
    assert quantile(added([]), 0.5) is None


def test_what_takes_longer_than_all_buckets_is_told_as_the_longest() -> None:
    assert quantile(histogram([10 * BOUNDS[-1]]), 0.5) == BOUNDS[-1]
