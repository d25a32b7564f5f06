"""What a worker leaves behind that died or froze at the worst moment, and how the others get on without it."""

from collections.abc import Callable

import psycopg
import pytest
from django.db import OperationalError, connection

from jobs import leadership, workers
from jobs.kinds import Kind
from jobs.leadership import Leadership
from jobs.models import Lease, WorkerProcess
from jobs.workers import find_lost
from tests.concurrency import Session, until

from .support import claimed, job_of, long_ago, statuses

pytestmark = pytest.mark.django_db(transaction=True)


def silent(name: str) -> None:
    """Enter a worker that has missed its heartbeats."""
    WorkerProcess.objects.create(
        name=name, host="other", pid=1, version="1", threads=4, state="running", last_heartbeat_at=long_ago()
    )


def test_a_leader_that_dies_while_it_takes_jobs_back_leaves_them_to_the_next_one(kind: Kind, monkeypatch) -> None:
    """Once they waited for the end of their lease: nobody looked at a worker that was marked as lost already."""
    silent("quiet:1-x")
    batch = claimed(kind, "a", worker="quiet:1-x")

    def die(*names: str, **options: bool) -> int:
        raise OperationalError("the leader's connection is cut")

    with monkeypatch.context() as patch:
        patch.setattr(workers, "release_worker", die)
        with pytest.raises(OperationalError):
            find_lost()
    find_lost()

    assert job_of(batch).status == "queued"
    assert WorkerProcess.objects.get(name="quiet:1-x").state == "lost"
    assert not Lease.objects.exists()


def test_a_worker_frozen_while_it_stores_its_results_does_not_hold_up_the_leader(
    kind: Kind, session: Callable[[], Session]
) -> None:
    """It holds the lock of its lease, for as long as its connection lives."""
    silent("frozen:1-x")
    silent("dead:1-x")
    frozen, dead = claimed(kind, "a", worker="frozen:1-x"), claimed(kind, "b", worker="dead:1-x")
    other = session()
    other.begin()
    other.do(lambda: Lease.objects.select_for_update().get(id=frozen.lease_id))
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '2s'")

    find_lost()
    assert (job_of(frozen).status, job_of(dead).status) == ("running", "queued")

    other.rollback()
    find_lost()
    assert statuses(kind) == {"queued": 2}
    with connection.cursor() as cursor:
        cursor.execute("RESET lock_timeout")


def test_a_leader_that_does_nothing_any_more_makes_room_for_another(monkeypatch) -> None:
    """A frozen process keeps its connection open, and so does, for hours, a host that lost its power."""
    monkeypatch.setattr(leadership, "frozen_after", lambda: 0.3)
    frozen, other = Leadership(), Leadership()
    try:
        assert frozen.holds()
        assert not other.holds()
        until(other.holds, "another leader")
        with pytest.raises(psycopg.OperationalError):
            frozen.holds()
        assert not frozen.holds()
        assert other.holds()
    finally:
        frozen.resign()
        other.resign()


def test_nobody_sits_on_locks_for_ever() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT setting::int FROM pg_settings WHERE name = 'idle_in_transaction_session_timeout'")
        assert 0 < cursor.fetchone()[0] <= 60_000
