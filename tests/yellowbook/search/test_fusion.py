"""One ranking out of several."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yellowbook.search.fusion import fuse, with_groups

RANKINGS = st.lists(st.lists(st.integers(0, 20), unique=True), max_size=4)


def weighted(rankings, weight=1.0):
    return [(ranking, [weight] * len(ranking)) for ranking in rankings]


def test_scores_are_the_sums_of_reciprocal_ranks():
    scores = fuse([(["a", "b"], [1.0, 1.0]), (["b", "c"], [2.0, 0.5])], k=10)
    assert scores == pytest.approx({"b": 1 / 12 + 2 / 11, "a": 1 / 11, "c": 0.5 / 12})
    assert list(scores) == ["b", "a", "c"]


@given(RANKINGS)
def test_everybody_is_ranked_once_and_scores_fall(rankings):
    scores = fuse(weighted(rankings))
    assert set(scores) == {item for ranking in rankings for item in ranking}
    assert list(scores.values()) == sorted(scores.values(), reverse=True)


@given(st.lists(st.integers(), unique=True))
def test_one_ranking_alone_stays_as_it_is(ranking):
    assert list(fuse(weighted([ranking]))) == ranking


@given(RANKINGS, st.integers(0, 20))
def test_who_is_first_everywhere_stays_first(rankings, first):
    rankings = [[first, *(item for item in ranking if item != first)] for ranking in rankings] or [[first]]
    assert next(iter(fuse(weighted(rankings)))) == first


def test_items_of_the_leading_group_come_up():
    scores = {"a1": 0.9, "b1": 0.8, "b2": 0.7, "c1": 0.1, "b3": 0.05}
    groups = {"a1": "a", "b1": "b", "b2": "b", "b3": "b", "c1": "c"}
    ranked = with_groups(scores, groups, depth=3, weight=5.0, k=10)
    assert ranked["b1"] == pytest.approx(0.8 + 5 / 11)
    assert ranked["a1"] == pytest.approx(0.9 + 5 / 12)
    assert list(ranked)[:3] == ["a1", "b1", "b2"]
    assert next(iter(with_groups(scores, groups, depth=3, weight=50.0, k=10))) == "b1"
    # No item of this group is among the first three, so it comes behind all that have one.
    assert ranked["c1"] == pytest.approx(0.1 + 5 / 13)
    assert list(ranked).index("b3") < list(ranked).index("c1")
