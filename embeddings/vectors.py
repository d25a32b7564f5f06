"""Validation and normalisation of what providers answer.

No SDK checks an answer: wrong counts, NaN and vectors of another length pass through all of them. What is stored has
gone through `checked_vectors`.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray
from pgvector import HalfVector

from embeddings.providers.base import DIMENSIONS
from jobs.errors import BadResponse

Vector = NDArray[np.float32]

#: How much of a malformed vector is kept with the error.
SAMPLE_CHARACTERS = 200


def checked_vectors(raw: Sequence[Any], expected_count: int) -> list[Vector | BadResponse]:
    """Check a provider's answer vector by vector, and normalise the good ones to unit norm.

    `raw` is an array or a list of lists, in the order of the texts. Each entry of the result is a float32 array of
    shape (768,) with norm 1, or, where the answer is not 768 finite numbers or all of them are zero, a `BadResponse`
    to raise for that text alone.

    Raises `BadResponse` when the number of vectors is not the number of texts: then nobody knows whose they are.
    """
    found = _length(raw)
    if found != expected_count:
        raise BadResponse(
            f"The answer holds {'no list of' if found is None else found} vectors, for {expected_count} texts.",
            sample=_sample(raw),
        )
    matrix = _matrix(raw)
    if matrix is not None:
        checked = _normalised(matrix)
        if checked is not None:
            return list(checked)
    return [_checked(entry) for entry in raw]


def as_text(vector: HalfVector) -> str:
    """Return what PostgreSQL reads as that vector: the same as its own `to_text`, in a twentieth of the time."""
    return orjson.dumps(vector.to_numpy(), option=orjson.OPT_SERIALIZE_NUMPY).decode()


def _matrix(raw: Any) -> NDArray[np.float64] | None:
    """Numbers as an array of shape (texts, 768), or None when they are anything else."""
    try:
        matrix = np.asarray(raw)
    except (ValueError, TypeError, OverflowError):
        return None
    if matrix.dtype.kind not in "fiub" or matrix.ndim != 2 or matrix.shape[1] != DIMENSIONS:
        return None
    return matrix.astype(np.float64)


def _normalised(matrix: NDArray[np.float64]) -> NDArray[np.float32] | None:
    """Rows of unit norm, or None when one of them is zero or not finite.

    Rows are first divided by their largest number, so that the squares neither overflow nor vanish.
    """
    largest = np.abs(matrix).max(axis=1, initial=0, keepdims=True)
    if not (np.isfinite(largest) & (largest > 0)).all():
        return None
    scaled = matrix / largest
    norms = np.sqrt(np.einsum("ij,ij->i", scaled, scaled))
    normalised: NDArray[np.float32] = (scaled / norms[:, None]).astype(np.float32)
    return normalised


def _checked(entry: Any) -> Vector | BadResponse:
    """One vector of unit norm, or the error that says what is wrong with it."""
    matrix = _matrix([entry])
    if matrix is None:
        length = _length(entry)
        wrong = "something other than numbers" if length in {None, DIMENSIONS} else f"{length} values"
        return BadResponse(f"A vector holds {wrong}, expected {DIMENSIONS} numbers.", sample=_sample(entry))
    normalised = _normalised(matrix)
    if normalised is not None:
        found: Vector = normalised[0]
        return found
    strange = np.flatnonzero(~np.isfinite(matrix[0]))
    if len(strange):
        place = int(strange[0])
        return BadResponse(f"A vector holds {matrix[0, place]} at position {place}.", sample=_sample(entry))
    return BadResponse("A vector is all zeros.", sample=_sample(entry))


def _length(value: Any) -> int | None:
    """Number of entries, or None for what is no list."""
    if isinstance(value, np.ndarray):
        return len(value) if value.ndim else None
    return len(value) if isinstance(value, Sequence) and not isinstance(value, str | bytes) else None


def _sample(value: Any) -> str:
    """The beginning of a malformed value, for the dead letter."""
    if isinstance(value, np.ndarray):
        value = value.ravel()[:10].tolist()
    elif isinstance(value, list | tuple):
        value = value[:10]
    return repr(value)[:SAMPLE_CHARACTERS]
