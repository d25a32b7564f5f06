"""Making sketches from the rows, all under one snapshot of the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

from django.db import connection, transaction

from embeddings.blocks import Block, as_array, read_blocks
from embeddings.sketches.changes import changed_since, current_snapshot
from embeddings.sketches.table import Sketches, even_axes, principal_axes
from embeddings.source import text_source

#: Vectors from which the axes are found.
SAMPLE: Final = 10_000
#: Vectors that are in memory at a time.
ROWS: Final = 2_048

#: The code of a field's value: the first four bytes of its MD5; the same as `table.facet_code`.
FACET: Final = "('x' || left(md5(coalesce(subject.{name}::text, '')), 8))::bit(32)::int"
#: One in 256 subjects has a given last byte.
_SAMPLED: Final = " AND get_byte(uuid_send(stored.business_id), 15) < %s"
_CHOSEN: Final = " AND stored.business_id = ANY(%s::uuid[])"


def load(model: str) -> Sketches:
    """Return the sketches of all vectors by `model`. Takes some 15 microseconds for each; call it in no transaction."""
    facets = tuple(text_source().facets)
    with _one_snapshot():
        snapshot = current_snapshot()
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM embeddings_embedding WHERE model = %s", [model])
            (vectors,) = cursor.fetchone()
        share = min(256, -(-SAMPLE * 256 // max(1, vectors)))
        axes = even_axes(principal_axes(block.vectors for block in _read(model, (), _SAMPLED, share)))
        none = Sketches.empty(model, axes, facets, snapshot)
        # Block by block: the vectors themselves would take 1.5 kB each.
        return none.joined([none.of(block) for block in _read(model, facets)], snapshot)


def updated(sketches: Sketches) -> Sketches:
    """Return the sketches as they are now: what has changed since is read again. Call it in no transaction."""
    with _one_snapshot():
        snapshot = current_snapshot()
        changed = changed_since(sketches.snapshot)
        if not len(changed):
            return replace(sketches, snapshot=snapshot)
        again = [sketches.of(block) for block in _read(sketches.model, sketches.facets, _CHOSEN, as_array(changed))]
    return sketches.joined(again, snapshot, gone=changed)


@contextmanager
def _one_snapshot() -> Iterator[None]:
    """Have all statements inside see the same state of the database."""
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def _read(model: str, facets: tuple[str, ...], condition: str = "", *parameters: Any) -> Iterator[Block]:
    """Yield the vectors by a model whose rows meet a condition, with the codes of their subjects' facets."""
    subjects, given = text_source().subjects().order_by().values("pk", *facets).query.sql_with_params()
    codes = "".join(f", {FACET.format(name=name)}" for name in facets)
    names = ", ".join(("id", *facets))
    statement = (
        f"SELECT stored.business_id, stored.vector{codes} FROM embeddings_embedding AS stored"  # noqa: S608
        f" JOIN ({subjects}) AS subject ({names}) ON subject.id = stored.business_id WHERE stored.model = %s{condition}"
    )
    return read_blocks(statement, (*given, model, *parameters), rows=ROWS, numbers=len(facets))
