"""Spherical k-means on vectors whose groups are known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yellowbook.curation.clustering import centres_of, nearest_of

from .support import around


def grouped(groups: int, each: int, spread: float = 0.02) -> np.ndarray:
    return np.concatenate([around(direction, each, spread=spread) for direction in range(groups)])


@pytest.mark.parametrize("seed", range(5))
def test_groups_that_lie_apart_are_found(seed: int) -> None:
    centres = centres_of(grouped(6, 50), 6, np.random.default_rng(seed))
    labels, closeness = nearest_of(grouped(6, 50), centres)
    pure = sum(np.bincount(labels[group * 50 : group * 50 + 50]).max() for group in range(6))
    # Unlucky first centres may split a group and join two others; no more than one.
    assert pure >= 250
    assert closeness.min() > 0.4


def test_the_same_seed_makes_the_same_centres_and_another_one_may_not() -> None:
    vectors = grouped(3, 40, spread=0.3)
    first, again, other = (centres_of(vectors, 8, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@given(st.integers(0, 30), st.integers(1, 12), st.integers(0, 1000))
def test_every_centre_has_somebody_and_is_of_unit_norm(many: int, number: int, seed: int) -> None:
    vectors = around(0, many, seed=seed, spread=0.5)
    centres = centres_of(vectors, number, np.random.default_rng(seed))
    assert len(centres) <= min(many, number)
    assert np.allclose(np.linalg.norm(centres, axis=1), 1, atol=1e-5)
    if many:
        labels, _ = nearest_of(vectors, centres)
        assert set(labels.tolist()) == set(range(len(centres)))


def test_of_equal_vectors_there_is_one_centre() -> None:
    vectors = np.repeat(around(0, 1), 20, axis=0)
    assert len(centres_of(vectors, 5, np.random.default_rng(0))) == 1
