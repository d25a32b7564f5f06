"""The context formula, and the tiles that compute it for thousands of pairs at once."""

from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embeddings.blocks import Block
from tests.yellowbook.directory.conftest import values
from tests.yellowbook.similarity.conftest import context, random_vectors
from yellowbook.directory.models import Business
from yellowbook.similarity import nearest
from yellowbook.similarity.context import Codes, context_of, traits_of
from yellowbook.similarity.exhaustive import Exhaustive
from yellowbook.similarity.nearest import NOBODY, Nearest

businesses = st.builds(
    lambda **chosen: Business(**values(**chosen)),
    category=st.sampled_from(["Кафе", "Bank", "Ном"]),
    city=st.sampled_from(["", "Улаанбаатар", "Дархан", "Хатгал"]),
    price_level=st.sampled_from([None, 1, 2, 3, 4]),
    offers_online=st.booleans(),
)


def row(business: Business):
    return (business.pk, business.category, business.city, business.price_level, business.offers_online)


@given(businesses, businesses)
def test_it_is_what_the_words_say_the_same_both_ways_and_from_0_to_1(one: Business, other: Business) -> None:
    codes = Codes()
    there, back = traits_of([row(one)], codes), traits_of([row(other)], codes)
    (found,) = context_of(there, back)
    assert found == pytest.approx(context(one, other), abs=1e-12)
    assert context_of(back, there) == found
    assert 0 <= found <= 1


@given(st.lists(businesses, min_size=1, max_size=12), st.integers(1, 4))
def test_tiles_and_single_pairs_find_the_same(made: list[Business], limit: int) -> None:
    vectors = random_vectors(len(made)).astype(np.float16)
    codes = Codes()
    rows = sorted(map(row, made))
    traits = traits_of(rows, codes)
    block = Block(traits.ids, vectors)
    asked: Any = {"limit": limit, "floor": 0.3}
    search, again = Nearest(traits, vectors, traits, **asked), Exhaustive(traits, vectors, traits, **asked)
    search.see(block)
    again.see(block)
    quick, slow = search.best(lambda ids: block), again.best()
    assert not len(search.crowded)
    assert (quick.places == slow.places).all()
    there = quick.places != NOBODY
    for name in ("scores", "semantic", "context"):
        assert getattr(quick, name)[there] == pytest.approx(getattr(slow, name)[there], abs=1e-6)


def test_two_that_share_everything_have_a_context_of_1_and_two_that_share_nothing_of_0() -> None:
    one = Business(**values(city="Дархан", price_level=1))
    other = Business(**values(category="Bank", city="Мөрөн", price_level=4))
    codes = Codes()
    (alike,) = context_of(traits_of([row(one)], codes), traits_of([row(one)], codes))
    (apart,) = context_of(traits_of([row(one)], codes), traits_of([row(other)], codes))
    assert (alike, apart) == (1.0, 0.0)


def test_traits_come_in_the_order_in_which_postgresql_has_ids() -> None:
    ids = [UUID(int=number) for number in (2**128 - 1, 0, 256, 1 << 120, 255)]
    traits = traits_of([(each, "", "", None, False) for each in ids], Codes())
    assert [UUID(bytes=each.ljust(16, b"\0")) for each in traits.ids.tolist()] == sorted(ids)


@pytest.mark.parametrize("apart", [0.0, 4e-3, 1e-2])
def test_rounding_within_its_bound_changes_nothing(apart: float, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    exactly = nearest._unit

    def rounded(vectors: Any) -> Any:
        # Scores are off by up to 4e-5, less than half of the margin.
        return exactly(vectors) * (1 + rng.uniform(-2e-5, 2e-5, size=(len(vectors), 1))).astype(np.float32)

    monkeypatch.setattr(nearest, "_unit", rounded)
    base = random_vectors(1)[0]
    vectors = (base + apart * rng.normal(size=(150, 768))).astype(np.float16)
    traits = traits_of([(UUID(int=number), "Кафе", "", None, False) for number in range(150)], Codes())
    block = Block(traits.ids, vectors)
    search = Nearest(traits, vectors, traits, limit=10, floor=0.4)
    again = Exhaustive(traits, vectors, traits, limit=10, floor=0.4)
    search.see(block)
    again.see(block)
    told = np.setdiff1d(np.arange(150), search.crowded)
    assert (search.best(lambda ids: block).places[told] == again.best().places[told]).all()
    # Equal ones are too many to be told apart: the second pass does.
    assert bool(len(told)) == bool(apart)
