"""Sketches of vectors, and which of them come near a vector. Nothing here knows the database."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import md5
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from embeddings.blocks import NOBODYS, Block, Ids
from embeddings.providers.base import DIMENSIONS

#: Components of a sketch, a byte each: three times the 64 that a processor multiplies at once. They hold 0.90 of the
#: energy of the vectors of 100,000 businesses by the local model.
COMPONENTS: Final = 192
#: What the largest byte stands for: five standard deviations of a component of a unit vector, its energy spread evenly.
PEAK: Final = 5 / COMPONENTS**0.5
LARGEST: Final = 127
#: Candidates for each neighbour wanted, but never less: 200 of 100,000 kept 0.997 of the first ten of short queries.
ENOUGH, FOR_EACH = 200, 2
#: With less than one of so many subjects in question, only theirs are compared: gathering them takes longer for each.
SCATTERED: Final = 4
#: One score in so many is looked at first.
SAMPLED: Final = 16

Matrix = NDArray[np.float32]
Bytes = NDArray[np.int8]
Scores = NDArray[np.int32]


def facet_code(value: object) -> int:
    """Return the number that stands for the value of a field; the same as in `load.FACET`."""
    text = "" if value is None else str(value)
    return int.from_bytes(md5(text.encode(), usedforsecurity=False).digest()[:4], "big", signed=True)


def principal_axes(samples: Iterable[NDArray[np.floating[Any]]], count: int = COMPONENTS) -> Matrix:
    """Return the orthonormal directions in which vectors lie most, the first ones first.

    The vectors come in parts of shape (n, 768), of which one at a time is held. Shape (768, count): the eigenvectors of
    their second moments. Of all projections on so many directions, that on these keeps inner products best (Eckart and
    Young 1936).
    """
    moments = np.zeros((DIMENSIONS, DIMENSIONS), np.float32)
    for sample in samples:
        vectors = sample.astype(np.float32)
        moments += vectors.T @ vectors
    _, directions = np.linalg.eigh(moments)
    return np.ascontiguousarray(directions[:, ::-1][:, :count], dtype=np.float32)


def even_axes(axes: Matrix) -> Matrix:
    """Return orthonormal axes of the same space on which the energy of vectors is spread evenly, by a random rotation.

    On principal axes the first components are many times as large as the last: in bytes of one scale, these would be
    lost.
    """
    count = axes.shape[1]
    rotation, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(count, count)))
    return np.ascontiguousarray(axes @ rotation, dtype=np.float32)


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
    #: Shape (n, 192), each row that of a vector on the axes.
    rows: Bytes
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
            ids=NOBODYS,
            rows=np.empty((0, axes.shape[1]), np.int8),
            facets=facets,
            codes=np.empty((len(facets), 0), np.int32),
            snapshot=snapshot,
        )

    def __len__(self) -> int:
        return len(self.ids)

    def of(self, block: Block) -> "Sketches":
        """Return the sketches of a block of vectors with codes, on the same axes."""
        rows = _as_bytes(block.vectors.astype(np.float32) @ self.axes, PEAK)
        return replace(self, ids=block.ids, rows=rows, codes=block.numbers.T)

    def joined(self, others: Iterable["Sketches"], snapshot: str, *, gone: Ids = NOBODYS) -> "Sketches":
        """Return these but for some that are gone, and the others, which are on the same axes, as of `snapshot`."""
        stay = np.flatnonzero(~np.isin(self.ids, gone))
        parts = list(others)
        return replace(
            self,
            ids=np.concatenate([self.ids[stay], *(part.ids for part in parts)]),
            rows=_joined(self.rows, stay, [part.rows for part in parts]),
            codes=np.concatenate([self.codes[:, stay], *(part.codes for part in parts)], axis=1),
            snapshot=snapshot,
        )

    def candidates(self, vector: NDArray[np.floating[Any]], narrowed: Mapping[str, object], limit: int) -> Candidates:
        """Return those among which the `limit` nearest to a vector of shape (768,) most likely are, in no order.

        Only subjects whose facets have the values in `narrowed` count. Raises `ValueError` for a field that is none.
        """
        sketch = vector.astype(np.float32) @ self.axes
        asked = self._asked(narrowed)
        if asked is not None and len(asked) * SCATTERED < len(self):
            scores = products(self.rows[asked], sketch)
        else:
            scores = products(self.rows, sketch)
            scores = scores if asked is None else scores[asked]
        best = _best(scores, max(ENOUGH, FOR_EACH * limit))
        chosen = best if asked is None else asked[best]
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


def _joined(rows: Bytes, stay: NDArray[np.intp], others: Sequence[Bytes]) -> Bytes:
    """Return the rows that stay and the others, copied once: they are most of what there is."""
    joined = np.empty((len(stay) + sum(map(len, others)), rows.shape[1]), np.int8)
    # Places are valid as they are; checking them would make a copy before.
    np.take(rows, stay, axis=0, out=joined[: len(stay)], mode="clip")
    np.concatenate([joined[:0], *others], out=joined[len(stay) :])
    return joined


def _as_bytes(components: Matrix, peak: float) -> Bytes:
    """Return components as bytes, the largest for `peak` and what exceeds it."""
    made: Bytes = np.clip(np.rint(components * (LARGEST / peak)), -LARGEST, LARGEST).astype(np.int8)
    return made


def products(rows: Bytes, sketch: Matrix) -> Scores:
    """Return the inner product of each row with a sketch of shape (192,), all in the same unit."""
    # Here: workers have this module too, and compare no sketches.
    from numkong import dots_pack, dots_packed

    peak = float(np.abs(sketch).max(initial=0.0)) or 1.0
    # Integers of 32 bits, exactly: 192 products of 127 by 127 stay below 2**22.
    return np.asarray(dots_packed(rows, dots_pack(_as_bytes(sketch[np.newaxis], peak))))[:, 0]


def _best(scores: Scores, count: int) -> NDArray[np.intp]:
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


def _highest(scores: Scores, count: int) -> NDArray[np.intp]:
    return np.argpartition(scores, len(scores) - count)[len(scores) - count :]
