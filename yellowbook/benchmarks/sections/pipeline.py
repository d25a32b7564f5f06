"""From businesses to stored vectors: real workers, and a stand-in for Google that takes its time."""

import math
from collections.abc import Iterator, Sequence
from time import perf_counter
from typing import Final
from uuid import UUID

from django.conf import settings

from embeddings.kinds import GENERATE_EMBEDDING
from embeddings.models import Embedding
from jobs.enqueue import enqueue_many
from jobs.models import JobExecution
from yellowbook.benchmarks.directory import plant
from yellowbook.benchmarks.measure import Figure, Scale, Section, register
from yellowbook.benchmarks.peers import one_by_one
from yellowbook.benchmarks.system import await_end, await_quiet, now, running, standin, workers
from yellowbook.directory.models import Business
from yellowbook.fleet.standin import StandIn
from yellowbook.fleet.waiting import until

#: Seconds that a call takes.
LATENCY: Final = 0.3
#: Businesses, and the multiple of the bound within which they should have their vectors.
SIZES: Final = {1_000: 2.0, 10_000: 1.5}
#: How many times as fast as the naive design it should be.
FASTER: Final = 50.0
PROCESSES: Final = (1, 2)


def measure(scale: Scale) -> Iterator[Figure]:
    """Yield what it takes until many businesses have their vectors, beside the least that the provider allows."""
    sizes = {scale(size): multiple for size, multiple in SIZES.items()}
    peers = min(sizes)
    with standin(LATENCY) as google:
        naive = _one_by_one(google, peers)
        yield Figure(f"{peers:,} businesses one by one", naive, "s", _bound(peers), against="the bound")
        yield Figure(
            f"{peers:,} businesses in a loop", _in_turn(google, peers), "s", _bound(peers), against="the bound"
        )
        for processes in PROCESSES:
            with workers(processes, google.settings):
                for size, multiple in sizes.items():
                    took = embedded(size)
                    name = f"{size:,} businesses, {worker_processes(processes)}"
                    yield Figure(name, took, "s", _bound(size), multiple * _bound(size), against="the bound")
                    if size == peers:
                        faster = Figure(f"{name}: faster", naive / took, "x", 1.0, FASTER, "one by one", at_least=True)
                        yield faster


register(Section("pipeline", "from businesses to vectors, 300 ms a call", measure))


def worker_processes(number: int) -> str:
    """Return how many there are, in words."""
    return f"{number} worker process{'es' if number > 1 else ''}"


def _bound(size: int) -> float:
    """Return the seconds that it takes at the least: full batches, as many under way as may be."""
    return math.ceil(size / settings.EMBEDDING_BATCH_SIZE) * LATENCY / settings.JOB_CONCURRENCY


def embedded(size: int) -> float:
    """Have so many new businesses embedded; return the seconds from before the request until the last vector."""
    await_quiet()
    JobExecution.objects.all().delete()
    return embed(plant(size))


def embed(ids: Sequence[UUID]) -> float:
    """Have all of the businesses that there are embedded; return the seconds."""
    began = now()
    enqueue_many(GENERATE_EMBEDDING, ids)
    took = await_end(GENERATE_EMBEDDING, len(ids)) - began
    _check(len(ids))
    return took


def _check(size: int) -> None:
    stored = Embedding.objects.count()
    if stored != size:
        raise RuntimeError(f"{stored:,} of {size:,} businesses have a vector")


def _one_by_one(google: StandIn, size: int) -> float:
    ids = plant(size)
    module = one_by_one.__name__
    arguments = ["-m", "dramatiq", f"{module}:broker", "--processes", "1", "--threads", str(one_by_one.THREADS)]
    with running("one-by-one", arguments, google.settings):
        # The first one takes the start of the workers with it.
        one_by_one.embed.send(str(ids[0]))
        until(Embedding.objects.exists, "the first one is embedded")
        began = perf_counter()
        for business_id in ids[1:]:
            one_by_one.embed.send(str(business_id))
        until(lambda: Embedding.objects.count() == size, "all are embedded", within=size)
        return perf_counter() - began


def _in_turn(google: StandIn, size: int) -> float:
    plant(size)
    with running("in-turn", ["-m", "yellowbook.benchmarks.peers.in_turn"], google.settings) as script:
        until(Embedding.objects.exists, "the first ones are embedded")
        began = perf_counter()
        before = Embedding.objects.count()
        script.wait()
        took = perf_counter() - began
    _check(Business.objects.count())
    return took * size / (size - before)
