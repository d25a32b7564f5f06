"""How much of a provider's quota is used, and how often it has to refuse."""

import threading
from collections.abc import Iterator
from typing import Final

from yellowbook.benchmarks.measure import Figure, Scale, Section, register
from yellowbook.benchmarks.sections.pipeline import embedded
from yellowbook.benchmarks.system import standin, workers

#: Texts a minute, and the share of them that work of ordinary urgency leaves to urgent work (`jobs.throttle.Limits`).
QUOTA: Final = 3_000
RESERVE: Final = 0.05
#: There are twice as many businesses as may be sent of the quota at once. Seconds until it allows the second half:
#: nobody is faster, however many processes there are.
BOUND: Final = 60.0
#: The multiple of the bound within which they should have their vectors.
MULTIPLE: Final = 1.05
#: Seconds after which nothing that was spent before counts any more, nor what a Redis that was emptied may not know.
FORGOTTEN: Final = 61.0
LATENCY: Final = 0.3
PROCESSES: Final = (1, 2, 4)


def measure(scale: Scale) -> Iterator[Figure]:
    """Yield the time under a quota that two minutes' texts take, and the number of calls that were refused."""
    quota = scale(QUOTA, at_least=100)
    businesses = int(2 * quota * (1 - RESERVE))
    for processes in PROCESSES:
        with (
            standin(LATENCY, "--rpm", str(quota)) as google,
            workers(processes, {**google.settings, "EMBEDDING_RPM": str(quota)}),
        ):
            threading.Event().wait(FORGOTTEN)
            took = embedded(businesses)
            calls = google.steer("GET", "log")["calls"]
        refused = sum(call["status"] == 429 for call in calls)
        name = f"{businesses:,} businesses at {quota:,} a minute, {processes} worker process(es)"
        yield Figure(name, took, "s", BOUND, MULTIPLE * BOUND, "the bound")
        yield Figure("calls refused with 429", refused, "", limit=0)


register(Section("quota", "under a provider's quota", measure))
