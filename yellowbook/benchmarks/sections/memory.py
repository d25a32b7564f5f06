"""Resident memory of the processes, at rest and at work."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import psutil

from yellowbook.benchmarks.directory import plant
from yellowbook.benchmarks.measure import Figure, Scale, Section, register
from yellowbook.benchmarks.sections.pipeline import embed
from yellowbook.benchmarks.system import PATIENCE, standin, web, workers
from yellowbook.fleet.waiting import until
from yellowbook.similarity.models import Similarity

#: Businesses of the run.
BUSINESSES: Final = 100_000
#: MiB that a worker takes at most; the multiple of its size after a tenth of the run that it has at the end.
LIMIT, FLAT = 150.0, 1.1
#: Seconds between two readings, and for which a process rests before it is at rest.
EVERY, REST = 0.5, 5.0


def measure(scale: Scale) -> Iterator[Figure]:
    """Yield the memory of web, worker and scheduler; the scheduler is a thread of the worker that leads."""
    businesses = scale(BUSINESSES)
    with standin() as google, web(google.settings) as serving, workers(1, google.settings) as working:
        pause = threading.Event()
        pause.wait(REST)
        yield Figure("web process at rest", _size(serving), "MiB")
        yield Figure("worker with scheduler at rest", _size(working), "MiB", limit=LIMIT)
        ids = plant(businesses)
        with watched(working) as sizes:
            embed(ids)
        with watched(working) as after:
            until(lambda: Similarity.objects.count() >= businesses, "all have a list", within=PATIENCE)
        tenth = max(sizes[: max(1, len(sizes) // 10)])
        yield Figure(f"worker with scheduler over {businesses:,} businesses, most", max(sizes), "MiB", limit=LIMIT)
        yield Figure("the same at the end", sizes[-1], "MiB", tenth, FLAT * tenth, against="at most in the first tenth")
        yield Figure("while it computes their similar ones, most", max(after), "MiB")


register(Section("memory", "resident memory", measure))


def _size(processes: Sequence[psutil.Process]) -> float:
    """Return the largest of them, in MiB."""
    return max(process.memory_info().rss for process in processes) / 2**20


@contextmanager
def watched(processes: Sequence[psutil.Process]) -> Iterator[list[float]]:
    """Read the size again and again inside; the list grows."""
    sizes = [_size(processes)]
    over = threading.Event()

    def watch() -> None:
        while not over.wait(EVERY):
            sizes.append(_size(processes))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield sizes
    finally:
        over.set()
        thread.join()
        sizes.append(_size(processes))
