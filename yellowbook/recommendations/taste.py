"""How likes and dislikes move the vector of a text: Rocchio's relevance feedback.

The new vector is ALPHA text + BETA mean(liked) - GAMMA mean(disliked), brought to unit norm, with the weights of
Manning, Raghavan and Schütze, Introduction to Information Retrieval (2008), 9.1.1: what is liked says more than what is
not.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]

ALPHA: Final = 1.0
BETA: Final = 0.75
GAMMA: Final = 0.15

#: Norm under which a sum is rounding, and has no direction.
NOTHING: Final = 1e-6


def moved(text: Vector, liked: Vector, disliked: Vector) -> Vector:
    """Return the unit vector, of shape (768,), of a taste.

    `text` is the unit vector of the answers; `liked` and `disliked` are those of businesses, of shape (n, 768), n may
    be 0. Where they cancel each other out, the text alone decides.
    """
    taste = ALPHA * text.astype(np.float64)
    for weight, vectors in ((BETA, liked), (-GAMMA, disliked)):
        if len(vectors):
            taste = taste + weight * vectors.mean(axis=0, dtype=np.float64)
    norm = float(np.linalg.norm(taste))
    return text if norm < NOTHING else (taste / norm).astype(np.float32)
