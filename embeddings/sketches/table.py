"""Sketches of vectors, and which of them come near a vector. Nothing here knows the database."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from hashlib import md5
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from embeddings.blocks import Block, Ids

#: Components of a sketch, and those of them that are compared for every subject. Of the vectors of 100,000 businesses
#: by the local model, 192 hold 0.90 of the energy and 96 hold 0.82; a subject takes 576 bytes.
COMPONENTS, HEAD = 192, 96
#: Subjects that the heads leave over, and candidates that the whole sketches leave over for each neighbour wanted,
#: but never less: 1,500 and 200 of 100,000 kept 0.994 of the first ten of short queries.
ROUGH, ROUGH_FOR_EACH = 1_500, 15
FINE, FINE_FOR_EACH = 200, 2
#: With fewer of all subjects in question, only theirs are compared: gathering them takes longer for each.
SCATTERED: Final = 8
#: One score in so many is looked at first.
SAMPLED: Final = 16

Matrix = NDArray[np.float32]


def facet_code(value: object) -> int:
    """Return the number that stands for the value of a field; the same as in `load.FACET`."""
    text = "" if value is None else str(value)
    return int.from_bytes(md5(text.encode(), usedforsecurity=False).digest()[:4], "big", signed=True)


def principal_axes(sample: Matrix, count: int = COMPONENTS) -> Matrix:
    """Return the orthonormal directions in which vectors of shape (n, 768) lie most, the first ones first.

    Shape (768, count): the eigenvectors of the vectors' second moments. Of all projections on so many directions, that
    on these keeps inner products best (Eckart and Young 1936).
    """
    _, directions = np.linalg.eigh(sample.T @ sample)
    return np.ascontiguousarray(directions[:, ::-1][:, :count], dtype=np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Subjects that may be near."""

    ids: Ids
    #: Whether there are no others in question.
    are_all: bool

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True, eq=False)
class Sketches:
    """The sketches of all subjects that have a vector by one model."""

    model: str
    #: Shape (768, 192).
    axes: Matrix
    ids: Ids
    #: First components, shape (n, 96), and the others, shape (n, 96) in half precision.
    head: Matrix
    tail: NDArray[np.float16]
    #: Names of fields, and the codes of their values, shape (fields, n).
    facets: tuple[str, ...]
    codes: NDArray[np.int32]
    #: What of the database they show, as PostgreSQL writes it.
    snapshot: str

    @classmethod
    def empty(cls, model: str, axes: Matrix, facets: tuple[str, ...], snapshot: str) -> "Sketches":
        """Return none at all."""
        return cls(
            model=model,
            axes=axes,
            ids=np.empty(0, "S16"),
            head=np.empty((0, HEAD), np.float32),
            tail=np.empty((0, axes.shape[1] - HEAD), np.float16),
            facets=facets,
            codes=np.empty((len(facets), 0), np.int32),
            snapshot=snapshot,
        )

    def __len__(self) -> int:
        return len(self.ids)

    def of(self, block: Block) -> "Sketches":
        """Return the sketches of a block of vectors with codes, on the same axes."""
        sketched = block.vectors.astype(np.float32) @ self.axes
        head, tail = np.ascontiguousarray(sketched[:, :HEAD]), sketched[:, HEAD:].astype(np.float16)
        return replace(self, ids=block.ids, head=head, tail=tail, codes=block.numbers.T)

    def without(self, gone: Ids) -> "Sketches":
        """Return all but those of some subjects."""
        stay = ~np.isin(self.ids, gone)
        return replace(self, ids=self.ids[stay], head=self.head[stay], tail=self.tail[stay], codes=self.codes[:, stay])

    def joined(self, others: Iterable["Sketches"], snapshot: str) -> "Sketches":
        """Return these and the others, which are on the same axes, as of `snapshot`."""
        parts = [self, *others]
        return replace(
            self,
            ids=np.concatenate([part.ids for part in parts]),
            head=np.concatenate([part.head for part in parts]),
            tail=np.concatenate([part.tail for part in parts]),
            codes=np.concatenate([part.codes for part in parts], axis=1),
            snapshot=snapshot,
        )

    def candidates(self, vector: NDArray[np.floating[Any]], narrowed: Mapping[str, object], limit: int) -> Candidates:
        """Return those among which the `limit` nearest to a vector of shape (768,) most likely are, in no order.

        Only subjects whose facets have the values in `narrowed` count. Raises `ValueError` for a field that is none.
        """
        sketch = vector.astype(np.float32) @ self.axes
        asked = self._asked(narrowed)
        if asked is not None and len(asked) * SCATTERED < len(self):
            rough = self.head[asked] @ sketch[:HEAD]
        else:
            rough = self.head @ sketch[:HEAD]
            rough = rough if asked is None else rough[asked]
        best = _best(rough, max(ROUGH, ROUGH_FOR_EACH * limit))
        places = best if asked is None else asked[best]
        fine = rough[best] + self.tail[places].astype(np.float32) @ sketch[HEAD:]
        chosen = places[_best(fine, max(FINE, FINE_FOR_EACH * limit))]
        return Candidates(self.ids[chosen], are_all=len(chosen) == (len(self) if asked is None else len(asked)))

    def _asked(self, narrowed: Mapping[str, object]) -> NDArray[np.intp] | None:
        """Return the places of the subjects in question; None: all."""
        unknown = sorted(narrowed.keys() - set(self.facets))
        if unknown:
            raise ValueError(f"{', '.join(unknown)} is no facet: expected some of {', '.join(self.facets)}")
        matches = [self.codes[self.facets.index(name)] == facet_code(value) for name, value in narrowed.items()]
        if not matches:
            return None
        found = np.logical_and.reduce(matches)
        return None if found.all() else np.flatnonzero(found)


def _best(scores: Matrix, count: int) -> NDArray[np.intp]:
    """Return the places of the `count` highest, in no order."""
    if len(scores) <= count:
        return np.arange(len(scores))
    # What one score in so many exceeds is a guess at what twice as many as wanted do: most need no sorting at all.
    sample = scores[::SAMPLED]
    place = len(sample) - 2 * count // SAMPLED
    if place > 0:
        high = np.flatnonzero(scores >= np.partition(sample, place)[place])
        if len(high) >= count:
            return high[_highest(scores[high], count)]
    return _highest(scores, count)


def _highest(scores: Matrix, count: int) -> NDArray[np.intp]:
    return np.argpartition(scores, len(scores) - count)[len(scores) - count :]
