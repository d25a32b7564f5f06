"""The registry of worker processes."""

from types import SimpleNamespace
from typing import Any

import pytest

from jobs import workers
from jobs.kinds import Kind
from jobs.middleware.registry import Registry
from jobs.models import WorkerProcess
from jobs.process.work import work
from jobs.workers import MISSED_BEATS, alive, enter_registry, find_lost, say_alive, say_stopped, worker_name
from tests.concurrency import until

from .support import claimed, job_of, long_ago, statuses

pytestmark = pytest.mark.django_db


def silent_for(seconds: float, name: str = "") -> None:
    WorkerProcess.objects.filter(name=name or worker_name()).update(last_heartbeat_at=long_ago(seconds))


def other(name: str = "other:1-x", **changes) -> WorkerProcess:
    return WorkerProcess.objects.create(
        **{"name": name, "host": "other", "pid": 1, "version": "1", "threads": 4, "state": "running", **changes}
    )


def me() -> WorkerProcess:
    return WorkerProcess.objects.get(name=worker_name())


def test_a_process_enters_beats_and_leaves(kind: Kind) -> None:
    enter_registry(6)
    assert (me().state, me().threads, me().pid > 0, me().memory_bytes > 0) == ("running", 6, True, True)
    assert worker_name() in alive().values_list("name", flat=True)
    silent_for(600)
    before = me().last_heartbeat_at
    say_alive()
    assert me().last_heartbeat_at > before
    assert (me().processed, me().failed) == (work.processed, work.failed)
    say_alive(workers.State.DRAINING)
    assert me().state == "draining"
    assert alive().count() == 1
    batch = claimed(kind, "a", worker=worker_name())
    say_stopped()
    assert me().state == "stopped"
    assert job_of(batch).status == "queued"
    assert alive().count() == 0


def test_a_worker_counts_as_lost_after_three_missed_beats_and_its_jobs_go_back(kind: Kind, settings) -> None:
    settings.WORKER_HEARTBEAT = 10.0
    other("quiet:1-x", last_heartbeat_at=long_ago(10 * MISSED_BEATS + 5))
    other("late:1-x", last_heartbeat_at=long_ago(10 * MISSED_BEATS - 5))
    lost, kept = claimed(kind, "a", worker="quiet:1-x"), claimed(kind, "b", worker="late:1-x")
    assert find_lost() == ["quiet:1-x"]
    assert WorkerProcess.objects.get(name="quiet:1-x").state == "lost"
    assert (job_of(lost).status, job_of(kept).status) == ("queued", "running")
    assert find_lost() == []


@pytest.mark.parametrize("state", ["running", "draining"])
def test_a_worker_that_drains_can_be_lost_too(state) -> None:
    other(state=state, last_heartbeat_at=long_ago())
    assert find_lost() == ["other:1-x"]


@pytest.mark.parametrize("state", ["stopped", "lost"])
def test_a_worker_that_is_gone_is_not_lost_again(state) -> None:
    other(state=state, last_heartbeat_at=long_ago())
    assert find_lost() == []


def test_a_worker_that_was_taken_for_lost_and_beats_again_is_alive() -> None:
    """After an outage of the database longer than three beats, every worker is late, the leader's own included."""
    enter_registry(1)
    silent_for(3600)
    assert find_lost() == [worker_name()]
    say_alive()
    assert me().state == "running"
    assert alive().count() == 1


def test_a_worker_that_died_without_a_witness_does_not_count_as_alive() -> None:
    """The last worker of all has no leader left that could mark it as lost."""
    other(last_heartbeat_at=long_ago())
    assert alive().count() == 0


def test_entering_twice_is_not_an_error() -> None:
    """The first try may have been committed although its answer got lost."""
    enter_registry(1)
    enter_registry(1)
    assert me().state == "running"


def test_names_tell_processes_of_one_pid_apart(monkeypatch) -> None:
    first = workers.worker_name.__wrapped__()
    second = workers.worker_name.__wrapped__()
    assert first != second
    assert first.rsplit("-")[0] == second.rsplit("-")[0]
    monkeypatch.setattr("socket.gethostname", lambda: "h" * 255)
    assert len(workers.worker_name.__wrapped__()) <= 100


@pytest.mark.django_db(transaction=True)
def test_a_worker_process_beats_from_boot_to_shutdown(settings, kind: Kind) -> None:
    settings.WORKER_HEARTBEAT = 0.01

    worker: Any = SimpleNamespace(worker_threads=3, consumer_whitelist={"prune"})
    broker: Any = None
    registry = Registry()
    registry.after_worker_boot(broker, worker)
    until(lambda: WorkerProcess.objects.filter(name=worker_name(), threads=3, queues=["prune"]), "the entry")
    silent_for(600)
    until(lambda: find_lost() == [] and me().last_heartbeat_at > long_ago(300), "a heartbeat")
    registry.before_worker_shutdown(broker, worker)
    batch = claimed(kind, "a", worker=worker_name())
    registry.after_worker_shutdown(broker, worker)
    assert registry._thread is not None
    registry._thread.join(20)
    assert me().state == "stopped"
    assert statuses(kind) == {"queued": 1}
    assert job_of(batch).deliveries == 0, "a worker that is told to stop is not the job's fault"
