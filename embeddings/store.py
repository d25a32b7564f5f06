"""Reading and writing vectors, set-based."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Final
from uuid import UUID

import numpy as np
import psycopg
from django.db import connection
from django.db.backends.utils import CursorWrapper
from numpy.typing import NDArray
from pgvector import HalfVector
from pgvector.psycopg.halfvec import HalfVectorBinaryDumper
from psycopg.types import TypeInfo

from embeddings.models import Embedding
from embeddings.signals import vectors_stored
from embeddings.sketches.changes import note_changes
from embeddings.source import text_source
from jobs.arrays import text_array, uuid_array

Vector = NDArray[np.float32]

#: Vectors in one statement: each connection of a process keeps a buffer as large as its largest statement ever was.
AT_ONCE: Final = 25


@dataclass(frozen=True, slots=True)
class NewVector:
    """A vector on its way into the table."""

    business_id: UUID
    job_id: UUID
    text_hash: str
    truncated: bool
    vector: HalfVector


def stored_hashes(ids: Collection[UUID], model: str) -> dict[UUID, str]:
    """Return the text hashes of the vectors that the businesses have by `model`."""
    rows = Embedding.objects.filter(business_id__in=ids, model=model).values_list("business_id", "text_hash")
    return dict(rows)


def vectors_by_hash(hashes: Collection[str], model: str) -> dict[str, tuple[HalfVector, bool]]:
    """Return, for those of the hashes that any business has a vector for, that vector and whether its text was cut."""
    rows = (
        Embedding.objects.filter(text_hash__in=hashes, model=model)
        .order_by("text_hash", "id")
        .distinct("text_hash")
        .values_list("text_hash", "vector", "truncated")
    )
    return {text_hash: (HalfVector(vector), truncated) for text_hash, vector, truncated in rows}


_STORE = """
INSERT INTO embeddings_embedding AS stored
    (business_id, model, provider, task_type, text_hash, truncated, vector, job_id, created_at)
SELECT new.business_id, %(model)s, %(provider)s, %(task_type)s, new.text_hash, new.truncated, new.vector, new.job_id,
       statement_timestamp()
  FROM unnest(%(business_ids)s::uuid[], %(text_hashes)s::text[], %(truncated)s::bool[], %(vectors)b::halfvec[],
              %(job_ids)s::uuid[]) AS new (business_id, text_hash, truncated, vector, job_id)
    ON CONFLICT (business_id, model) DO UPDATE
   SET provider = excluded.provider, task_type = excluded.task_type, text_hash = excluded.text_hash,
       truncated = excluded.truncated, vector = excluded.vector, job_id = excluded.job_id,
       created_at = excluded.created_at
"""


def store(vectors: Sequence[NewVector], *, model: str, provider: str, task_type: str) -> dict[UUID, bool | None]:
    """Store the vectors whose text is still the text of their business.

    Call it inside the transaction that ends the jobs. Returns per business True (stored), False (the text is another by
    now: not stored) or None (the business is gone).
    """
    current: Mapping[UUID, str] = text_source().lock_current([vector.business_id for vector in vectors])
    fresh = [vector for vector in vectors if current.get(vector.business_id) == vector.text_hash]
    if fresh:
        fresh.sort(key=lambda vector: vector.business_id)
        with _binary_cursor() as cursor:
            for start in range(0, len(fresh), AT_ONCE):
                some = fresh[start : start + AT_ONCE]
                cursor.execute(
                    _STORE,
                    {
                        "model": model,
                        "provider": provider,
                        "task_type": task_type,
                        "business_ids": uuid_array(vector.business_id for vector in some),
                        "text_hashes": text_array(vector.text_hash for vector in some),
                        "truncated": [vector.truncated for vector in some],
                        "vectors": [vector.vector for vector in some],
                        "job_ids": uuid_array(vector.job_id for vector in some),
                    },
                )
        note_changes([vector.business_id for vector in fresh])
        vectors_stored.send(Embedding, business_ids=[vector.business_id for vector in fresh], model=model)
    stored = {vector.business_id for vector in fresh}
    return {
        vector.business_id: None if vector.business_id not in current else vector.business_id in stored
        for vector in vectors
    }


@contextmanager
def _binary_cursor() -> Iterator[CursorWrapper]:
    """Yield a cursor that sends vectors as PostgreSQL keeps them: a hundred in 2 ms, where as text they take 16.

    Django's own put every parameter into the text of the statement.
    """
    connection.ensure_connection()
    raw = connection.connection
    if raw.adapters.types.get("halfvec") is None:
        known = TypeInfo.fetch(raw, "halfvec")
        raw.adapters.types.add(known)
        raw.adapters.register_dumper(HalfVector, _dumper(known.oid))
    with CursorWrapper(psycopg.Cursor(raw), connection) as cursor:
        yield cursor


@cache
def _dumper(oid: int) -> type[HalfVectorBinaryDumper]:
    """Return what writes vectors of the type with that number, which is another in each database.

    Made once: psycopg never lets go of a dumper that it has met.
    """
    return type("Dumper", (HalfVectorBinaryDumper,), {"oid": oid})
