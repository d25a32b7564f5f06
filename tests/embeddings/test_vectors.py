import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pgvector import HalfVector

from embeddings.providers.base import DIMENSIONS
from embeddings.vectors import as_text, checked_vectors
from jobs.errors import BadResponse

GOOD = [float(number % 7 - 3) for number in range(DIMENSIONS)]

vectors = arrays(
    np.float64, DIMENSIONS, elements=st.floats(), fill=st.sampled_from([0.0, 1.0, -3.5e300, 5e-324, float("nan")])
)


def only(raw: object) -> object:
    (found,) = checked_vectors([raw], 1)
    return found


@pytest.mark.parametrize("make", [list, tuple, np.array, lambda v: np.array(v, np.float32), lambda v: np.array(v, int)])
def test_a_good_vector_comes_out_with_unit_norm(make) -> None:
    found = only(make(GOOD))
    assert isinstance(found, np.ndarray)
    assert found.dtype == np.float32
    assert found.shape == (DIMENSIONS,)
    assert np.linalg.norm(found.astype(np.float64)) == pytest.approx(1, abs=1e-6)
    assert np.allclose(found, np.array(GOOD) / np.linalg.norm(GOOD))


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ([], "0 values"),
        (GOOD[:-1], "767 values"),
        (GOOD * 2, "1536 values"),
        ([*GOOD[:-1], float("nan")], "nan at position 767"),
        ([*GOOD[:-1], float("-inf")], "-inf at position 767"),
        ([*GOOD[:-1], None], "other than numbers"),
        ([*GOOD[:-1], "1.0"], "other than numbers"),
        ([*GOOD[:-1], [1.0]], "other than numbers"),
        ([*GOOD[:-1], 10**400], "other than numbers"),
        ([1j] * DIMENSIONS, "other than numbers"),
        ([GOOD] * DIMENSIONS, "other than numbers"),
        ([0.0] * DIMENSIONS, "all zeros"),
        (None, "other than numbers"),
        (1.0, "other than numbers"),
        ("x" * DIMENSIONS, "other than numbers"),
        ({"values": GOOD}, "other than numbers"),
        (np.array(1.0), "other than numbers"),
    ],
)
def test_a_bad_vector_is_an_error_of_its_own(bad: object, said: str) -> None:
    first, found, last = checked_vectors([GOOD, bad, GOOD], 3)
    assert isinstance(found, BadResponse)
    assert said in found.message
    assert found.sample
    assert len(found.sample) <= 200
    assert isinstance(first, np.ndarray)
    assert isinstance(last, np.ndarray)


@pytest.mark.parametrize(("raw", "expected"), [([GOOD], 2), ([GOOD] * 3, 2), ([], 1), (np.zeros((3, DIMENSIONS)), 2)])
def test_a_wrong_count_fails_the_call(raw: object, expected: int) -> None:
    with pytest.raises(BadResponse, match=f"for {expected} texts"):
        checked_vectors(raw, expected)  # type: ignore[arg-type]


@pytest.mark.parametrize("raw", [None, 7, "text", np.array(1.0), {"a": GOOD}])
def test_what_is_no_list_fails_the_call(raw: object) -> None:
    with pytest.raises(BadResponse, match="no list of"):
        checked_vectors(raw, 1)  # type: ignore[arg-type]


def test_no_vectors_for_no_texts() -> None:
    assert checked_vectors([], 0) == []


@given(vectors)
def test_a_vector_keeps_its_direction_or_is_refused(raw: np.ndarray) -> None:
    found = only(raw)
    usable = bool(np.isfinite(raw).all() and raw.any())
    assert isinstance(found, np.ndarray) == usable
    if isinstance(found, np.ndarray):
        assert np.isfinite(found).all()
        assert np.linalg.norm(found.astype(np.float64)) == pytest.approx(1, abs=1e-5)
        scaled = raw / np.abs(raw).max()
        assert np.allclose(found, scaled / np.linalg.norm(scaled), atol=1e-6)


@given(st.lists(vectors, min_size=1, max_size=4))
def test_a_vector_does_not_depend_on_its_neighbours(raw: list[np.ndarray]) -> None:
    for together, alone in zip(checked_vectors(raw, len(raw)), map(only, raw), strict=True):
        if isinstance(together, BadResponse):
            assert isinstance(alone, BadResponse)
            assert together.message == alone.message
        else:
            assert np.array_equal(together, np.asarray(alone))


@given(st.lists(vectors, min_size=1, max_size=3))
def test_lists_and_arrays_give_the_same(raw: list[np.ndarray]) -> None:
    for of_arrays, of_lists in zip(
        checked_vectors(raw, len(raw)), checked_vectors([each.tolist() for each in raw], len(raw)), strict=True
    ):
        assert np.array_equal(np.asarray(of_arrays), np.asarray(of_lists)) or isinstance(of_lists, BadResponse)


@given(arrays(np.float16, DIMENSIONS, elements=st.floats(-1, 1, width=16)))
def test_the_text_says_exactly_the_vector(numbers) -> None:
    vector = HalfVector(numbers)
    assert HalfVector.from_text(as_text(vector)) == vector
