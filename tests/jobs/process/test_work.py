"""What a process has in hand, and whether it takes on more."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from jobs import workers
from jobs.execute import run_lane
from jobs.kinds import Kind
from jobs.models import JobExecution, WorkerProcess
from jobs.process import guard as guard_module
from jobs.process.memory import MIB, Memory
from jobs.process.stopping import stopping
from jobs.process.work import work
from jobs.workers import enter_registry, stuck, worker_name
from tests.jobs.support import MakeKind, claimed, long_ago, statuses, waiting

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def holding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard_module.guard, "holding", True)


def test_the_heartbeat_tells_the_batch_that_has_been_in_hand_for_the_longest() -> None:
    enter_registry(1)
    with work.doing("slow", 3), work.doing("quick", 1):
        workers.say_alive()
        me = WorkerProcess.objects.get(name=worker_name())
        assert me.busy_with == "slow x 3"
        assert timezone.now() - me.busy_since < timedelta(seconds=30)
    workers.say_alive()
    me.refresh_from_db()
    assert (me.busy_with, me.busy_since) == ("", None)


def test_a_worker_that_beats_but_does_not_get_on_is_stuck(settings: Any) -> None:
    settings.JOB_TIMEOUT = 300.0
    enter_registry(1)
    assert not stuck().exists()
    WorkerProcess.objects.update(busy_since=long_ago(299))
    assert not stuck().exists()
    WorkerProcess.objects.update(busy_since=long_ago(301))
    assert stuck().get().name == worker_name()
    WorkerProcess.objects.update(last_heartbeat_at=long_ago())
    assert not stuck().exists(), "it does not even beat"


def test_a_worker_is_shown_with_the_batches_that_it_holds(kind: Kind) -> None:
    enter_registry(1)
    batch = claimed(kind, "a", "b", worker=worker_name())
    shown: Any = workers.described().get()
    assert shown.is_alive
    assert not shown.is_stuck
    [held] = shown.current
    assert (held["kind"], held["jobs"], held["progress"]) == (kind.name, 2, 10)
    assert held["started_at"]
    assert batch.jobs


def test_a_process_that_is_stopping_claims_nothing(kind: Kind) -> None:
    waiting(kind, "a")
    stopping.set()
    assert run_lane(kind.name) is False
    assert statuses(kind) == {"queued": 1}


def test_a_process_short_of_memory_claims_nothing(kind: Kind, holding: None) -> None:
    waiting(kind, "a")
    assert run_lane(kind.name) is False
    assert statuses(kind) == {"queued": 1}


def test_a_batch_is_cut_to_the_memory_that_is_left(make_kind: MakeKind, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    kind = make_kind(lambda batch: sizes.append(len(batch.jobs)), batch_size=10, linger=0.0, job_bytes=10 * MIB)
    used = int(0.85 * 1000 * MIB) - 35 * MIB
    monkeypatch.setattr(guard_module.guard, "measure", lambda: Memory(used, used, 1000 * MIB))
    waiting(kind, *"abcdefg")
    run_lane(kind.name)
    assert sizes == [3]
    assert JobExecution.objects.filter(status="succeeded").count() == 3
