"""The index for nearest neighbours: one for each model's vectors, made by a job where there are very many of them.

An index (HNSW) answers in a few milliseconds, makes every store of a vector six times as dear, and misses neighbours:
of the first ten of short queries by the local model it found 0.86 at 100,000 businesses, since a query of three words
lies apart from all documents. So it is for directories whose sketches (`embeddings.sketches`) take too much time and
memory: of a million vectors 9 ms and 230 MB, with 0.99 of the first ten.
"""

import time
from hashlib import sha256
from typing import Final

import structlog
from django.conf import settings
from django.db import connection, connections

from embeddings.current import current_model
from embeddings.models import Embedding
from jobs.batch import Batch

log = structlog.get_logger(__name__)

#: Vectors of a model from which on it gets an index, and those under which it loses it.
MADE_FROM: Final = 2_000_000
DROPPED_UNDER: Final = 1_000_000
#: Neighbours of each vector in the graph, and candidates looked at to find them.
LINKS, CANDIDATES = 24, 128
#: Memory for the making, 2 kB for each vector: a graph that does not fit takes several times as long.
MAKING_MEMORY = "4GB"
#: Seconds for which a process believes what it knows of an index.
BELIEVED_FOR: Final = 30.0

_UNDER_WAY = "SELECT EXISTS (SELECT FROM pg_stat_progress_create_index WHERE relid = 'embeddings_embedding'::regclass)"

_believed: dict[str, tuple[float, bool]] = {}


def index_name(model: str) -> str:
    """Return the name of a model's index; a model's own may be longer than PostgreSQL's names."""
    return f"embeddings_nearest_{sha256(model.encode()).hexdigest()[:12]}"


def has_index(model: str) -> bool:
    """Tell whether a model's vectors have an index that is ready; asked again after half a minute."""
    at, known = _believed.get(model, (0.0, False))
    if not at or time.monotonic() - at > BELIEVED_FOR:
        known = _is_valid(index_name(model)) is True
        _believed[model] = (time.monotonic(), known)
    return known


def keep_index(model: str | None = None) -> str:
    """Make the index of a model (else of the one that serves) that should have one, drop one that is not worth it.

    Returns `made`, `dropped`, `kept` or `not needed`; `under way` when another process makes one. Call it outside any
    transaction: the table stays open to readers and writers all the while.
    """
    model = model or current_model()
    with connection.cursor() as cursor:
        cursor.execute(_UNDER_WAY)
        (under_way,) = cursor.fetchone()
    if under_way:
        return "under way"
    try:
        return _keep(model)
    finally:
        _believed.pop(model, None)


def make_index(model: str) -> None:
    """Make the index of a model's vectors, which has none; call it outside any transaction."""
    started = time.monotonic()
    # No setting for a transaction: the making can't be in one.
    with connections[settings.DIRECT_DATABASE].cursor() as cursor:
        cursor.execute(
            "SELECT set_config('maintenance_work_mem', %s, false), set_config('statement_timeout', '0', false)",
            [MAKING_MEMORY],
        )
        try:
            cursor.execute(
                f'CREATE INDEX CONCURRENTLY "{index_name(model)}" ON embeddings_embedding'
                f" USING hnsw (vector halfvec_ip_ops) WITH (m = {LINKS}, ef_construction = {CANDIDATES})"
                " WHERE model = %s",
                [model],
            )
        finally:
            cursor.execute("RESET maintenance_work_mem; RESET statement_timeout")
    _believed.pop(model, None)
    took = round(time.monotonic() - started, 1)
    log.info("vector_index_made", model=model, index=index_name(model), seconds=took)


def drop_index(model: str) -> None:
    """Drop a model's index, if there is one; call it outside any transaction."""
    if _is_valid(index_name(model)) is None:
        return
    with connection.cursor() as cursor:
        cursor.execute(f'DROP INDEX CONCURRENTLY IF EXISTS "{index_name(model)}"')
    _believed.pop(model, None)


def keep_indexes(batch: Batch) -> None:
    """See to the index of the model that serves; the handler of `keep_vector_index`."""
    told = keep_index()
    for job in batch.jobs:
        batch.succeed(job, told)


def _keep(model: str) -> str:
    vectors = Embedding.objects.filter(model=model).order_by().values("pk")[:MADE_FROM].count()
    valid = _is_valid(index_name(model))
    if valid and vectors >= DROPPED_UNDER:
        return "kept"
    if valid is not None:
        # Also what is left of a making that was cut short: it costs every write, and serves nobody.
        drop_index(model)
    if vectors < MADE_FROM:
        return "dropped" if valid else "not needed"
    make_index(model)
    return "made"


def _is_valid(name: str) -> bool | None:
    """Tell whether an index is ready; None when there is none."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)", [name])
        row = cursor.fetchone()
    return None if row is None else bool(row[0])
