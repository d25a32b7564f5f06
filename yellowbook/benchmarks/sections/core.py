"""What a job costs by itself: row, claim and outcome, beside a message of plain dramatiq."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Final

from jobs.enqueue import enqueue_many
from jobs.models import JobExecution
from yellowbook.benchmarks.measure import Figure, Scale, Section, register
from yellowbook.benchmarks.noop import NOOP, declare
from yellowbook.benchmarks.peers import plain
from yellowbook.benchmarks.system import THREADS, await_end, environment, logs, now, running
from yellowbook.fleet.workers import start_worker

#: Jobs of one measurement, and of one request for them.
JOBS: Final = 50_000
PAGE: Final = 10_000
#: What workers load first, so that they know the kind that does nothing.
BOOT: Final = "yellowbook.benchmarks.noop_worker"
#: Jobs a second, at the least.
FAST: Final = 10_000.0


def measure(scale: Scale) -> Iterator[Figure]:
    """Yield how many jobs and messages that do nothing are worked off in a second."""
    declare()
    jobs = scale(JOBS)
    messages = _messages(jobs)
    yield Figure.of_peer("messages of plain dramatiq, sent and worked off", messages, "/s")
    with _workers():
        _jobs(scale(PAGE))
        enqueued, done = _jobs(jobs)
    yield Figure("jobs enqueued", jobs / enqueued, "/s", messages, against="plain dramatiq", at_least=True)
    yield Figure("jobs enqueued, claimed and ended", jobs / done, "/s", messages, FAST, "plain dramatiq", at_least=True)


register(Section("core", "jobs that do nothing", measure))


@contextmanager
def _workers() -> Iterator[None]:
    child = start_worker("noop", environment({}), logs() / "noop.log", threads=THREADS, boot=BOOT)
    try:
        yield
    finally:
        child.stop(signal.SIGTERM, grace=60)


def _jobs(count: int) -> tuple[float, float]:
    """Return the seconds until so many jobs were enqueued, and until they were done."""
    JobExecution.objects.all().delete()
    began = now()
    for start in range(0, count, PAGE):
        enqueue_many(NOOP, [str(number) for number in range(start, min(count, start + PAGE))])
    enqueued = now() - began
    return enqueued, await_end(NOOP, count) - began


def _messages(count: int) -> float:
    """Return how many messages a second plain dramatiq sends and works off, with as many threads."""
    arguments = ["-m", "dramatiq", f"{plain.__name__}:broker", "--processes", "1", "--threads", str(THREADS)]
    with running("plain", arguments, {}):
        plain.nothing.send()
        plain.broker.join(plain.nothing.queue_name, interval=10)
        began = perf_counter()
        for _ in range(count):
            plain.nothing.send()
        plain.broker.join(plain.nothing.queue_name, interval=10)
        return count / (perf_counter() - began)
