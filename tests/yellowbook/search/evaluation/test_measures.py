"""Measures of a ranking."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yellowbook.search.evaluation.measures import ndcg, percentile, recall
from yellowbook.search.evaluation.slips import slipped


@pytest.mark.parametrize(
    ("relevant", "total", "expected"),
    [
        ([True, True], 2, 1.0),
        ([False, True], 1, 0.63093),
        ([True, False, True], 3, 0.70391),
        ([], 3, 0.0),
        ([False] * 10 + [True], 1, 0.0),
        ([True], 0, 0.0),
    ],
)
def test_ndcg_of_known_rankings(relevant, total, expected):
    assert ndcg(relevant, total) == pytest.approx(expected, abs=1e-5)


@given(st.lists(st.booleans(), max_size=30), st.integers(0, 30))
def test_measures_are_shares_and_an_earlier_hit_is_worth_more(relevant, more):
    total = sum(relevant) + more
    assert 0 <= ndcg(relevant, total) <= 1 + 1e-9
    assert 0 <= recall(relevant, total) <= 1
    assert ndcg(sorted(relevant, reverse=True), total) >= ndcg(relevant, total) - 1e-9


def test_recall_counts_what_could_be_on_the_page():
    assert recall([True, False, True], 4) == 0.5
    assert recall([True] * 10, 100) == 1


def test_percentiles_are_values_that_occurred():
    assert [percentile(list(range(1, 101)), share) for share in (0.5, 0.99, 1.0)] == [50, 99, 100]
    assert percentile([], 0.5) == 0


def test_slips_are_the_same_each_time_and_never_the_name_itself():
    names = {"Хатгал Кэмп", "Blue Sky Hotel", "Номин", "Bar"}
    once = dict(slipped(names))
    assert once == dict(slipped(names))
    assert set(once) == names - {"Bar"}
    assert all(typed.casefold() != name.casefold() and typed[0] == name[0] for name, typed in once.items())
