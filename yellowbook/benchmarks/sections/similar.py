"""What it takes to compute the similar businesses of a whole directory."""

from collections.abc import Iterator
from resource import RUSAGE_SELF, getrusage
from time import perf_counter

from jobs.actor import current_actor
from jobs.execute import run_lane
from yellowbook.benchmarks.directory import fill
from yellowbook.benchmarks.measure import Figure, Scale, Section, register
from yellowbook.similarity.marks import COMPUTE_SIMILARITY
from yellowbook.similarity.models import Similarity
from yellowbook.similarity.services import compute_all

#: Businesses, and the seconds within which their lists should be there.
SIZES = {10_000: 1.0, 100_000: 20.0}


def measure(scale: Scale) -> Iterator[Figure]:
    """Yield what a run over all businesses takes when there are no lists, and when all are there already."""
    for businesses, limit in SIZES.items():
        size = scale(businesses)
        fill(size)
        yield Figure(f"similar businesses of {size:,}", _computed(size), "s", None, limit)
        yield Figure(f"similar businesses of {size:,} again", _computed(size), "s", None, limit)
    yield Figure("most memory so far", getrusage(RUSAGE_SELF).ru_maxrss / 1024, "MiB")


register(Section("similar", "similar businesses of a whole directory", measure))


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
