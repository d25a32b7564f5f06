"""Loading many vectors, and the index of nearest neighbours: its making, and what it finds."""

from collections.abc import Iterator
from time import perf_counter
from typing import Final

from django.db import connection, transaction

from embeddings.ann import drop_index, make_index
from embeddings.current import current_model, current_provider
from embeddings.nearest import nearest
from embeddings.providers.base import TaskType
from embeddings.sketches.keeper import keeper
from yellowbook.benchmarks.directory import fill
from yellowbook.benchmarks.measure import Figure, Scale, Section, milliseconds, register
from yellowbook.benchmarks.sections.search import vector_of
from yellowbook.benchmarks.texts import Invented, questions
from yellowbook.directory.models import Business
from yellowbook.directory.selectors import published
from yellowbook.directory.text import embedded_text
from yellowbook.search.evaluation.measures import DEPTH, percentile

#: Businesses, and the queries whose neighbours are looked for.
SIZES: Final = (10_000, 100_000)
QUERIES: Final = 100


def measure(scale: Scale) -> Iterator[Figure]:
    """Yield how long it takes to embed and load a directory, and to make its index; then what a walk over that finds.

    Of a directory of this size searches compare sketches instead (section `search`): the index misses more.
    """
    for size in map(scale, SIZES):
        began = perf_counter()
        businesses = fill(size)
        took = perf_counter() - began
        name = f"{size:,} businesses embedded by the local model, loaded and indexed by words"
        yield Figure(name, took, "s", size * _embedding_alone(), against="embedded alone")
        yield from _index(businesses, scale(QUERIES, at_least=10))


register(Section("vectors", "loading vectors, and their index", measure))


def _embedding_alone() -> float:
    """Return the seconds that the provider takes for one business, by some of them."""
    texts = [embedded_text(each) for each in Business.objects.all()[: current_provider().max_batch]]
    return milliseconds(lambda: current_provider().embed(texts, TaskType.DOCUMENT)) / 1000 / len(texts)


def _copying() -> float:
    """Return the milliseconds in which PostgreSQL writes all vectors once more."""
    with transaction.atomic(), connection.cursor() as cursor:
        took = milliseconds(lambda: cursor.execute("CREATE TABLE copied AS TABLE embeddings_embedding"))
        transaction.set_rollback(True)
    return took


def _index(businesses: list[Invented], queries: int) -> Iterator[Figure]:
    model = current_model()
    vectors = [vector_of(text) for text in questions(queries, businesses)]
    exact = [nearest(vector, published(), limit=DEPTH, exact=True) for vector in vectors]
    scans = [milliseconds(lambda: nearest(vector, published(), limit=DEPTH, exact=True)) for vector in vectors[:10]]  # noqa: B023
    began = perf_counter()
    make_index(model)
    name = f"{len(businesses):,} vectors"
    made = perf_counter() - began
    yield Figure(f"index of {name} made", made, "s", _copying() / 1000, against="the vectors copied by PostgreSQL")
    keeper.forget()
    try:
        took, shares = [], []
        for vector, wanted in zip(vectors, exact, strict=True):
            began = perf_counter()
            found = nearest(vector, published(), limit=DEPTH)
            took.append((perf_counter() - began) * 1000)
            shares.append(len({near.business_id for near in found} & {near.business_id for near in wanted}) / DEPTH)
    finally:
        drop_index(model)
    yield Figure(f"index of {name}, p50", percentile(took, 0.5), "ms", percentile(scans, 0.5), against="a scan")
    yield Figure(f"index of {name}, p99", percentile(took, 0.99), "ms", percentile(scans, 0.99), against="a scan")
    yield Figure(f"index of {name}, recall@{DEPTH}", sum(shares) / len(shares), "", 1.0, against="a scan")
