"""Reading many vectors at once, in the binary form in which PostgreSQL has them: 1.5 kB each, and no Python object."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import numpy as np
from django.db import connection
from django.db.models import QuerySet
from numpy.typing import NDArray

from embeddings.models import Embedding
from embeddings.providers.base import DIMENSIONS

#: Rows of a block: 12 MB as they come, 25 MB as numbers of single precision.
ROWS: Final = 8_192

#: Ids as their 16 bytes; compared, they are in the order in which PostgreSQL has UUIDs.
Ids = NDArray[np.bytes_]
ID: Final = np.dtype("S16")
#: The ids of nobody.
NOBODYS: Final[Ids] = np.empty(0, ID)

#: What comes before and after the rows of a binary COPY (PostgreSQL's documentation of COPY, "Binary Format").
_HEADER, _TRAILER = 19, 2
_FIELDS: Final = (
    ("fields", ">i2"),
    ("id_length", ">i4"),
    ("id", ID),
    ("vector_length", ">i4"),
    ("dimensions", ">i2"),
    ("unused", ">i2"),
    ("vector", ">f2", (DIMENSIONS,)),
)

_CHOSEN: Final = "SELECT business_id, vector FROM embeddings_embedding WHERE model = %s AND business_id = ANY(%s)"


@dataclass(frozen=True, slots=True)
class Block:
    """Vectors of some subjects."""

    #: Shape (n,).
    ids: Ids
    #: Shape (n, 768), half precision as stored; their norm is 1 within 0.0005.
    vectors: NDArray[np.float16]
    #: Shape (n, k): what else was read of each subject.
    numbers: NDArray[np.int32] = field(default_factory=lambda: np.empty((0, 0), np.int32))

    def __len__(self) -> int:
        return len(self.ids)


def blocks(subjects: QuerySet[Any], *, model: str, rows: int = ROWS) -> Iterator[Block]:
    """Yield the vectors by `model` of `subjects`, in no particular order, up to `rows` at a time.

    Memory does not grow with their number. The connection is busy until the last block was taken.
    """
    wanted = Embedding.objects.filter(model=model, business_id__in=subjects.order_by().values("pk")).order_by()
    return read_blocks(*wanted.values_list("business_id", "vector").query.sql_with_params(), rows=rows)


def vectors_of(ids: Ids, *, model: str) -> Block:
    """Return the vectors by `model` of those of `ids` that have one, in no particular order."""
    found = list(read_blocks(_CHOSEN, (model, as_uuids(ids)), rows=max(1, len(ids))))
    if found:
        return found[0]
    return Block(NOBODYS, np.empty((0, DIMENSIONS), np.float16))


def as_uuids(ids: Ids) -> list[UUID]:
    """Return ids as Python has them."""
    return [UUID(bytes=each.ljust(16, b"\0")) for each in ids.tolist()]


def as_array(ids: Ids) -> str:
    """Return ids as PostgreSQL writes an array of UUIDs; much cheaper than as many parameters."""
    return "{" + ",".join([each.ljust(16, b"\0").hex() for each in ids.tolist()]) + "}"


def as_ids(uuids: list[UUID]) -> Ids:
    """Return ids as an array of their bytes."""
    return np.frombuffer(b"".join(each.bytes for each in uuids), ID)


def read_blocks(statement: str, parameters: tuple[Any, ...], *, rows: int = ROWS, numbers: int = 0) -> Iterator[Block]:
    """Yield what a statement returns: an id, a vector and so many integers of four bytes, none of them NULL."""
    row = _row(numbers)
    with (
        connection.cursor() as cursor,
        connection.wrap_database_errors,
        # The cursor underneath: Django's own for DEBUG takes no parameters here.
        cursor.cursor.copy(f"COPY ({statement}) TO STDOUT (FORMAT BINARY)", parameters) as copy,
    ):
        held = bytearray()
        skip = _HEADER
        for message in copy:
            held += message
            if len(held) >= skip + rows * row.itemsize:
                yield _block(held, skip, rows, row)
                del held[: skip + rows * row.itemsize]
                skip = 0
        left = (len(held) - skip - _TRAILER) // row.itemsize
        if left > 0:
            yield _block(held, skip, left, row)


def _row(numbers: int) -> np.dtype[np.void]:
    """Return how COPY writes a row."""
    return np.dtype([*_FIELDS, ("numbers", [("length", ">i4"), ("value", ">i4")], (numbers,))])


def _block(held: bytearray, start: int, rows: int, row: np.dtype[np.void]) -> Block:
    read = np.frombuffer(held[start : start + rows * row.itemsize], row)
    return Block(
        np.ascontiguousarray(read["id"]), read["vector"].astype(np.float16), read["numbers"]["value"].astype(np.int32)
    )
