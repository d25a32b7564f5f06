"""Groups of near vectors: spherical k-means. Pure: arrays in, arrays out, and the same ones for the same seed.

Dhillon and Modha, "Concept decompositions for large sparse text data using clustering" (2001); the first centres are
chosen as k-means++ does (Arthur and Vassilvitskii, 2007).
"""

from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    # Every worker has this module, and few ever need a generator: it takes 2 MB.
    from numpy.random import Generator

Vectors = NDArray[np.float32]
Numbers = NDArray[np.int32]

#: Rounds after which the centres are good enough, whether or not they still move.
ROUNDS: Final = 25


def centres_of(vectors: Vectors, number: int, rng: "Generator") -> Vectors:
    """Return up to `number` centres of unit norm, shape (k, d), for vectors of unit norm, shape (n, d).

    Each of them is the nearest one to at least one vector: there are fewer where there are fewer different vectors.
    """
    if not len(vectors):
        return vectors
    centres = _first(vectors, min(number, len(vectors)), rng)
    labels, closeness = nearest_of(vectors, centres)
    for _ in range(ROUNDS):
        centres = _moved(vectors, labels, closeness, centres)
        before, (labels, closeness) = labels, nearest_of(vectors, centres)
        if np.array_equal(before, labels):
            break
    used: Vectors = centres[np.unique(labels)]
    return used


def nearest_of(vectors: Vectors, centres: Vectors) -> tuple[Numbers, Vectors]:
    """Return for each vector the number of its nearest centre and the cosine of the angle between both."""
    cosines = vectors @ centres.T
    labels = cosines.argmax(axis=1)
    return labels.astype(np.int32), cosines[np.arange(len(vectors)), labels]


def _first(vectors: Vectors, number: int, rng: "Generator") -> Vectors:
    """Choose vectors to begin with: each the likelier, the further it is from those before."""
    chosen = [int(rng.integers(len(vectors)))]
    furthest = 1 - vectors @ vectors[chosen[0]]
    while len(chosen) < number:
        weights = np.clip(furthest, 0, None).astype(np.float64)
        total = weights.sum()
        if total <= 0:
            break
        chosen.append(int(rng.choice(len(vectors), p=weights / total)))
        furthest = np.minimum(furthest, 1 - vectors @ vectors[chosen[-1]])
    return vectors[chosen]


def _moved(vectors: Vectors, labels: Numbers, closeness: Vectors, centres: Vectors) -> Vectors:
    """Return the centres as the means of what is nearest to them; one that has nothing goes to the worst placed one."""
    moved = centres.copy()
    worst = iter(np.argsort(closeness, kind="stable"))
    for place in range(len(centres)):
        own = vectors[labels == place]
        mean = own.sum(axis=0) if len(own) else vectors[next(worst)]
        norm = float(np.linalg.norm(mean))
        if norm > 0:
            moved[place] = mean / norm
    return moved
