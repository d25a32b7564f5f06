"""What it takes to compute the similar businesses of a whole directory."""

from collections.abc import Iterator
from resource import RUSAGE_SELF, getrusage
from time import perf_counter
from typing import Final

from embeddings.blocks import blocks
from embeddings.current import current_model
from embeddings.nearest import nearest
from jobs.actor import current_actor
from jobs.execute import run_lane
from yellowbook.benchmarks.directory import fill
from yellowbook.benchmarks.measure import Figure, Scale, Section, milliseconds, register
from yellowbook.directory.selectors import published
from yellowbook.search.evaluation.measures import DEPTH, percentile
from yellowbook.similarity.marks import COMPUTE_SIMILARITY
from yellowbook.similarity.models import Similarity
from yellowbook.similarity.services import compute_all

#: Queries by which one for each business is reckoned.
QUERIES: Final = 20
#: Businesses, and the seconds within which their lists should be there.
SIZES = {10_000: 1.0, 100_000: 20.0}


def measure(scale: Scale) -> Iterator[Figure]:
    """Yield what a run over all businesses takes when there are no lists, and when all are there already.

    Beside it: a query in SQL for each business, by the median of some.
    """
    for businesses, limit in SIZES.items():
        size = scale(businesses)
        fill(size)
        before = _most_memory()
        queries = size * percentile(_queries(), 0.5) / 1000
        for name in (f"similar businesses of {size:,}", f"similar businesses of {size:,} again"):
            yield Figure(name, _computed(size), "s", queries, limit, "a query for each")
        name = f"similar businesses of {size:,}: most memory of the process"
        yield Figure(name, _most_memory(), "MiB", before, against="before")


register(Section("similar", "similar businesses of a whole directory", measure))


def _queries() -> list[float]:
    """Return the milliseconds of each query for the nearest of one business, among all there are."""
    some = next(blocks(published(), model=current_model(), rows=QUERIES))
    return [milliseconds(lambda: nearest(vector, published(), limit=DEPTH, exact=True)) for vector in some.vectors]  # noqa: B023


def _most_memory() -> float:
    """Return the MiB that this process took at the most."""
    return getrusage(RUSAGE_SELF).ru_maxrss / 1024


def _computed(size: int) -> float:
    started = perf_counter()
    compute_all(actor=current_actor())
    while run_lane(COMPUTE_SIMILARITY):
        pass
    took = perf_counter() - started
    found = Similarity.objects.count()
    if found != size:
        raise RuntimeError(f"{found:,} of {size:,} businesses have a list")
    return took
