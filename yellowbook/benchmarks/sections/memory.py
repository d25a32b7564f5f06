"""Resident memory of the processes, at rest and at work."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final

import httpx2
import psutil

from yellowbook.benchmarks.directory import plant
from yellowbook.benchmarks.measure import Figure, Scale, Section, register
from yellowbook.benchmarks.peers import plain
from yellowbook.benchmarks.sections.pipeline import embed
from yellowbook.benchmarks.system import PATIENCE, THREADS, Web, running, standin, web, workers
from yellowbook.benchmarks.texts import invented, questions
from yellowbook.fleet.waiting import until
from yellowbook.similarity.models import Similarity

#: What is served beside it; a process that imports it has no settings of ours.
BARE: Final = "yellowbook.benchmarks.peers.bare:application"
#: Businesses of the run.
BUSINESSES: Final = 100_000
#: MiB that a worker takes at most; the multiple of its size in the first third of the run that it has at the end. By
#: then each of its threads and connections has met its largest batch; what leaks goes on growing.
LIMIT, FLAT = 150.0, 1.1
#: Searches, more than there is time for.
VISITS: Final = 10_000
#: Seconds between two readings, and for which a process rests before it is at rest.
EVERY, REST = 0.5, 5.0


def measure(scale: Scale) -> Iterator[Figure]:
    """Yield the memory of web, worker and scheduler; the scheduler is a thread of the worker that leads."""
    businesses = scale(BUSINESSES)
    with_django, with_dramatiq = _peers()
    with standin() as google, web(google.settings) as serving, workers(1, google.settings) as working:
        pause = threading.Event()
        pause.wait(REST)
        at_rest, web_at_rest = _size(working), _size(serving.processes)
        yield Figure("web process at rest", web_at_rest, "MiB", with_django, against="Django's own apps")
        yield Figure("worker with scheduler at rest", at_rest, "MiB", with_dramatiq, LIMIT, "one of plain dramatiq")
        ids = plant(businesses)
        with watched(working) as sizes, watched(serving.processes, _visitor(serving)) as visited:
            embed(ids)
        with watched(working) as after:
            until(lambda: Similarity.objects.count() >= businesses, "all have a list", within=PATIENCE)
        third = max(sizes[: max(1, len(sizes) // 3)])
        name = f"worker with scheduler over {businesses:,} businesses"
        yield Figure(f"{name}, most", max(sizes), "MiB", at_rest, LIMIT, "at rest")
        yield Figure(f"{name}, at the end", sizes[-1], "MiB", third, FLAT * third, "at most in the first third")
        yield Figure("worker that computes their similar ones, most", max(after), "MiB", at_rest, against="at rest")
        name = f"web process that is searched meanwhile, {len(visited)} times, most"
        yield Figure(name, max(visited), "MiB", web_at_rest, against="at rest")


register(Section("memory", "resident memory", measure))


def _peers() -> tuple[float, float]:
    """Return the size of a web process with Django's own apps alone, and of a worker of plain dramatiq."""
    arguments = ["-m", "dramatiq", f"{plain.__name__}:broker", "--processes", "1", "--threads", str(THREADS)]
    with (
        web({}, application=BARE) as serving,
        running("plain", arguments, {}) as working,
    ):
        threading.Event().wait(REST)
        return _size(serving.processes), _size(psutil.Process(working.pid).children())


def _visitor(serving: Web) -> Callable[[], None]:
    """Return what searches for something else each time."""
    asked = iter(questions(VISITS, list(invented(VISITS))))

    def visit() -> None:
        given = {"q": next(asked)}
        httpx2.get(f"{serving.url}/api/search", params=given, trust_env=False, timeout=PATIENCE).raise_for_status()

    return visit


def _size(processes: Sequence[psutil.Process]) -> float:
    """Return the largest of them, in MiB."""
    return max(process.memory_info().rss for process in processes) / 2**20


@contextmanager
def watched(processes: Sequence[psutil.Process], meanwhile: Callable[[], object] = bool) -> Iterator[list[float]]:
    """Do something and read the size, again and again inside; the list grows."""
    sizes = [_size(processes)]
    over = threading.Event()

    def watch() -> None:
        while not over.wait(EVERY):
            meanwhile()
            sizes.append(_size(processes))

    with ThreadPoolExecutor(1) as thread:
        watching = thread.submit(watch)
        try:
            yield sizes
        finally:
            over.set()
            watching.result()
    sizes.append(_size(processes))
