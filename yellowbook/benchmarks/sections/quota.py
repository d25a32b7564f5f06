"""How much of a provider's quota is used, and how often it has to refuse."""

import threading
from collections.abc import Iterator
from typing import Final

from yellowbook.benchmarks.measure import Figure, Scale, Section, register
from yellowbook.benchmarks.sections.pipeline import embedded, worker_processes
from yellowbook.benchmarks.system import standin, workers

#: Texts a minute, and the businesses. The first 3,000 of the 10,000 may be sent at once, and so may each 3,000 after
#: another minute: nobody needs less than three minutes, however many processes there are.
QUOTA, BUSINESSES = 3_000, 10_000
BOUND: Final = 180.0
#: The multiple of the bound within which they should have their vectors.
MULTIPLE: Final = 1.05
#: Seconds after which nothing that was spent before counts any more, nor what a Redis that was emptied may not know.
FORGOTTEN: Final = 61.0
LATENCY: Final = 0.3
PROCESSES: Final = (1, 2, 4)


def measure(scale: Scale) -> Iterator[Figure]:
    """Yield the time that many texts take under a quota, and the number of calls that were refused."""
    quota = scale(QUOTA, at_least=100)
    businesses = quota * BUSINESSES // QUOTA
    for processes in PROCESSES:
        with (
            standin(LATENCY, "--rpm", str(quota)) as google,
            workers(processes, {**google.settings, "EMBEDDING_RPM": str(quota)}),
        ):
            threading.Event().wait(FORGOTTEN)
            took = embedded(businesses)
            calls = google.steer("GET", "log")["calls"]
        refused = sum(call["status"] == 429 for call in calls)
        name = f"{businesses:,} businesses at {quota:,} a minute, {worker_processes(processes)}"
        yield Figure(name, took, "s", BOUND, MULTIPLE * BOUND, "the bound")
        yield Figure(f"{name}: refused with 429", refused, "", len(calls), 0, "calls")


register(Section("quota", "under a provider's quota", measure))
