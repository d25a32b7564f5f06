"""The registry of worker processes: who they are, whether they are alive, what they do."""

import os
import secrets
import socket
from collections.abc import Collection
from functools import cache
from typing import Any

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Case, Exists, F, OuterRef, QuerySet, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import JSONObject, Now

from jobs.clock import ago
from jobs.lifecycle import release_worker
from jobs.models import Lease, WorkerProcess
from jobs.process.guard import guard
from jobs.process.memory import memory
from jobs.process.work import work
from jobs.version import running_version

State = WorkerProcess.State

#: Heartbeats that a worker may miss before it counts as lost.
MISSED_BEATS = 3


@cache
def worker_name() -> str:
    """Return this process's name, `host:pid-token`. The token tells it from an earlier process of the same pid."""
    return f"{socket.gethostname()[:60]}:{os.getpid()}-{secrets.token_hex(3)}"


def enter_registry(threads: int, queues: Collection[str] = (), state: str = State.RUNNING) -> None:
    """Enter this process into the registry, with the lanes that it serves (none: all)."""
    WorkerProcess.objects.update_or_create(
        name=worker_name(),
        defaults={
            "host": socket.gethostname()[:80],
            "pid": os.getpid(),
            "version": running_version(),
            "threads": threads,
            "queues": sorted(queues),
            "state": state,
            **_report(),
        },
    )


def _report() -> dict[str, Any]:
    """Return what a heartbeat says of this process, with times by the database's clock."""
    used = memory()
    oldest = work.oldest()
    return {
        "last_heartbeat_at": Now(),
        "memory_bytes": used.resident,
        "memory_limit_bytes": used.limit,
        "memory_share": used.share,
        "memory_high": guard.holding,
        "processed": work.processed,
        "failed": work.failed,
        "busy_since": None if oldest is None else ago(oldest.seconds),
        "busy_with": "" if oldest is None else str(oldest)[:100],
    }


def say_alive(state: str | None = None) -> bool:
    """Renew this process's heartbeat, and its state when given; return False when it is not in the registry (any more).

    A process that was taken for lost and goes on is running again; what it held was taken back meanwhile.
    """
    back_to_life = Case(When(state=State.LOST, then=Value(State.RUNNING.value)), default=F("state"))
    return bool(
        WorkerProcess.objects.filter(name=worker_name()).update(
            state=back_to_life if state is None else state, **_report()
        )
    )


def beat(threads: int, queues: Collection[str] = ()) -> None:
    """Renew this process's heartbeat, entering it into the registry when it is not there."""
    if not say_alive():
        enter_registry(threads, queues)


def say_stopped() -> None:
    """Give back what this process still holds, as nobody's fault, and leave the registry as stopped."""
    release_worker(worker_name(), blame=False)
    say_alive(State.STOPPED)


def alive() -> QuerySet[WorkerProcess]:
    """Return the workers that beat, whether they take work or finish what they have."""
    return _not_gone().filter(last_heartbeat_at__gte=_last_beat_expected())


def others_alive() -> bool:
    """Tell whether there is a worker that beats besides this process."""
    return alive().exclude(name=worker_name()).exists()


def stuck() -> QuerySet[WorkerProcess]:
    """Return the workers that beat but have had a batch in hand for longer than any job may take."""
    return alive().filter(busy_since__lt=ago(settings.JOB_TIMEOUT))


def described() -> QuerySet[WorkerProcess]:
    """Return all workers with `is_alive`, `is_stuck` and `current`: the batches that they hold, with their start."""
    batches = Lease.objects.filter(worker=OuterRef("name")).order_by("claimed_at")
    batch = JSONObject(kind="kind", jobs="size", started_at="claimed_at", progress="progress")
    return WorkerProcess.objects.annotate(
        is_alive=Exists(alive().filter(pk=OuterRef("pk"))),
        is_stuck=Exists(stuck().filter(pk=OuterRef("pk"))),
        current=ArraySubquery(batches.values(batch=batch)),
    )


def find_lost() -> list[str]:
    """Take back the jobs of workers that missed their heartbeats, mark the workers as lost, return those newly marked.

    Whoever does this may die half-way, or find a lease locked: the next time, what is left is taken back.
    """
    late = WorkerProcess.objects.filter(last_heartbeat_at__lt=_last_beat_expected())
    holders = late.filter(name__in=Lease.objects.values("worker")).values_list("name", flat=True)
    release_worker(*holders, wait=False)
    silent = list(_not_gone().filter(last_heartbeat_at__lt=_last_beat_expected()).values_list("name", flat=True))
    if silent:
        _not_gone().filter(name__in=silent).update(state=State.LOST)
    return silent


def _not_gone() -> QuerySet[WorkerProcess]:
    return WorkerProcess.objects.filter(state__in=[State.STARTING, State.RUNNING, State.DRAINING])


def _last_beat_expected() -> Combinable:
    return ago(settings.WORKER_HEARTBEAT * MISSED_BEATS)
