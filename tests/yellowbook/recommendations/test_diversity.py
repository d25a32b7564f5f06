"""Maximal marginal relevance, against trying out every candidate at every step."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from yellowbook.recommendations.diversity import diverse


def units(rows: Any) -> Any:
    """Return rows of unit norm; a zero one points along the first axis."""
    rows = np.array(rows, np.float64)
    rows[~rows.any(axis=1), 0] = 1.0
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def exhaustive(scores: Any, vectors: Any, limit: int, share: float) -> list[int]:
    """Choose as the paper says, one comparison at a time."""
    chosen: list[int] = []
    while len(chosen) < min(limit, len(scores)):
        gains = {
            place: share * scores[place]
            - ((1 - share) * max(float(vectors[each] @ vectors[place]) for each in chosen) if chosen else 0.0)
            for place in range(len(scores))
            if place not in chosen
        }
        chosen.append(max(gains, key=lambda place: (gains[place], -place)))
    return chosen


#: Few values, so that ties are common; eighths, so that all of it is exact.
EIGHTHS = st.integers(-8, 8).map(lambda number: number / 8)


@given(st.data(), st.integers(1, 8), st.integers(0, 10), st.sampled_from([0.0, 0.25, 0.5, 1.0]))
def test_it_chooses_what_an_exhaustive_search_chooses(data: Any, number: int, limit: int, share: float) -> None:
    scores = data.draw(arrays.arrays(np.float64, number, elements=EIGHTHS))
    axes = data.draw(st.lists(st.integers(0, 3), min_size=number, max_size=number))
    signs = data.draw(st.lists(st.sampled_from([-1, 1]), min_size=number, max_size=number))
    vectors = np.eye(4)[axes] * np.array(signs)[:, None]
    assert diverse(scores, vectors, limit=limit, share=share) == exhaustive(scores, vectors, limit, share)


@given(st.data(), st.integers(1, 30), st.integers(1, 30))
def test_any_vectors_are_ranked_once_each_the_most_relevant_first(data: Any, number: int, limit: int) -> None:
    finite = st.floats(-1, 1, width=32)
    scores = data.draw(arrays.arrays(np.float32, number, elements=finite))
    vectors = units(data.draw(arrays.arrays(np.float32, (number, 5), elements=finite)))
    chosen = diverse(scores, vectors, limit=limit)
    assert len(set(chosen)) == len(chosen) == min(limit, number)
    assert chosen[0] == int(np.argmax(scores))


def test_a_twin_of_the_first_comes_after_what_is_unlike_it() -> None:
    vectors = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    assert diverse(np.array([0.9, 0.89, 0.6]), vectors, limit=3) == [0, 2, 1]
    assert diverse(np.array([0.9, 0.89, 0.6]), vectors, limit=3, share=1.0) == [0, 1, 2]


def test_of_nothing_nothing_is_chosen() -> None:
    assert diverse(np.empty(0), np.empty((0, 3)), limit=5) == []
