"""Loading many vectors, and building the index of nearest neighbours."""

from collections.abc import Iterator
from time import perf_counter
from typing import Final

from yellowbook.benchmarks.directory import fill
from yellowbook.benchmarks.measure import Figure, Scale, Section, register

SIZES: Final = (10_000, 100_000)


def measure(scale: Scale) -> Iterator[Figure]:
    """Yield how long it takes to embed and load a directory, and to build its index."""
    for size in map(scale, SIZES):
        began = perf_counter()
        fill(size)
        yield Figure(
            f"{size:,} businesses embedded by the local model, loaded and indexed by words", perf_counter() - began, "s"
        )


register(Section("vectors", "loading vectors", measure))
