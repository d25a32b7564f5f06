"""What the leader does each second, and who leads."""

from functools import partial
from threading import Event, Thread

import psycopg
import pytest
from django.conf import settings
from django.db import OperationalError, connection

from jobs import lanes, scheduler
from jobs.actor import Actor
from jobs.due import due_lanes, is_due, seconds_until_due
from jobs.kinds import Kind
from jobs.leadership import LOCK_KEY, Leadership
from jobs.models import JobExecution
from jobs.scheduler import MIN_TICK, TICK, wake_due
from jobs.states import Status
from tests.concurrency import until

from .support import MakeKind, ahead, claimed, expire, long_ago, put, sender, statuses, waiting

alone = pytest.mark.django_db


@alone
def test_lanes_with_a_job_due_are_woken_and_no_others(make_kind: MakeKind) -> None:
    due, later, paused, busy, empty = (make_kind() for _ in range(5))
    put(due, "a", Status.RETRYING, next_attempt_at=long_ago())
    put(later, "a", Status.QUEUED, next_attempt_at=ahead())
    put(paused, "a", Status.QUEUED)
    put(busy, "a", Status.RUNNING)
    lanes.pause(paused.name, actor=Actor("op", "api"))
    kinds = [due, later, paused, busy, empty]
    assert due_lanes([kind.name for kind in kinds]) == [due.name]
    wake_due()
    assert [sender().waiting_messages(kind.name) for kind in kinds] == [1, 0, 0, 0, 0]


@alone
def test_a_lane_whose_pause_has_passed_is_due(kind: Kind) -> None:
    put(kind, "a", Status.QUEUED)
    lanes.pause(kind.name, actor=Actor("op", "api"), until=ahead())
    assert not is_due(kind.name)
    lanes.pause(kind.name, actor=Actor("op", "api"), until=long_ago())
    assert is_due(kind.name)


@alone
def test_the_next_look_is_when_the_next_job_becomes_due_within_bounds(make_kind: MakeKind) -> None:
    kind = make_kind()
    assert seconds_until_due([kind.name]) is None
    assert wake_due() == TICK
    for status in (Status.SUCCEEDED, Status.DEAD, Status.CANCELLED):
        put(kind, "over", status, next_attempt_at=ahead(0.3))
    assert wake_due() == TICK
    for number, (priority, seconds) in enumerate([(2, 1000), (0, 300), (1, 5000)]):
        put(kind, str(number), Status.RETRYING, priority=priority, next_attempt_at=ahead(seconds))
    assert 200 < (seconds_until_due([kind.name]) or 0) <= 300
    assert wake_due() == TICK
    put(kind, "soon", Status.RETRYING, next_attempt_at=ahead(0.9))
    assert MIN_TICK <= wake_due() < TICK


@alone
def test_the_next_look_is_no_later_than_when_a_lane_has_slept_enough(kind: Kind) -> None:
    put(kind, "due", Status.QUEUED)
    lanes.sleep(kind.name, 4.0)
    assert 3 < (seconds_until_due([kind.name]) or 0) <= 4
    lanes.sleep(kind.name, 0.3)
    assert MIN_TICK <= wake_due() <= 0.3
    lanes.rouse(kind.name)
    assert seconds_until_due([kind.name]) is None


@pytest.mark.django_db(transaction=True)
class TestLeadership:
    """One leader among all processes, as long as its connection lives."""

    @pytest.fixture(autouse=True)
    def _on_the_test_database(self, settings) -> None:
        name = connection.settings_dict["NAME"]
        settings.DATABASE_URL = psycopg.conninfo.make_conninfo(settings.DATABASE_URL, dbname=name)

    @pytest.fixture
    def candidates(self):
        """Two of them."""
        made = [Leadership(), Leadership()]
        yield made
        for each in made:
            each.resign()

    def test_only_one_leads_and_goes_on_leading(self, candidates) -> None:
        first, second = candidates
        assert [first.holds(), second.holds(), first.holds(), second.holds()] == [True, False, True, False]

    def test_it_passes_on_when_the_leader_resigns(self, candidates) -> None:
        first, second = candidates
        assert first.holds()
        first.resign()
        first.resign()
        until(second.holds, "the succession")
        assert not first.holds()

    def test_it_passes_on_when_the_connection_of_the_leader_dies(self, candidates) -> None:
        first, second = candidates
        assert first.holds()
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks JOIN pg_database ON pg_database.oid = database"
                " WHERE locktype = 'advisory' AND datname = current_database()"
            )
            assert cursor.rowcount == 1
        assert second.holds()
        with pytest.raises(psycopg.OperationalError):
            first.holds()
        assert not first.holds()
        assert second.holds()

    def test_the_key_of_the_lock_fits_postgresql(self) -> None:
        assert 0 < LOCK_KEY < 2**63

    def test_the_scheduler_leads_sweeps_and_wakes_until_it_is_stopped(self, make_kind, candidates) -> None:
        kind = make_kind(concurrency=5)
        expire(claimed(kind, "lost"))
        put(kind, "due", Status.QUEUED)
        sender().client.delete(f"dramatiq:{kind.name}")
        stop = Event()
        thread = Thread(target=scheduler.run, args=(stop,))
        thread.start()
        try:
            until(lambda: statuses(kind) == {"queued": 2}, "the sweep")
            until(lambda: sender().waiting_messages(kind.name), "the wake-up")
            assert not candidates[0].holds()
        finally:
            stop.set()
            thread.join(20)
        until(candidates[0].holds, "the succession")

    def test_the_scheduler_survives_the_loss_of_its_connections(self, make_kind, monkeypatch, cut_connections) -> None:
        monkeypatch.setattr(scheduler, "STAND_BY", 0.01)
        kind, stop = make_kind(), Event()
        thread = Thread(target=scheduler.run, args=(stop,))
        thread.start()
        try:
            for subject in ("first", "second"):
                until(partial(try_to_put, kind, subject), "a row")
                until(lambda: sender().waiting_messages(kind.name), "a wake-up")
                cut_connections()
                connection.close()
                sender().client.delete(f"dramatiq:{kind.name}")
            until(lambda: sender().waiting_messages(kind.name), "a wake-up")
        finally:
            stop.set()
            thread.join(20)
        assert not thread.is_alive()

    def test_one_bad_job_does_not_keep_the_scheduler_from_waking_lanes(self, make_kind, kind) -> None:
        """Two running jobs of one subject, both lost: the sweep has to come to an end, every time."""
        expire(claimed(kind, "a"), claimed(kind, "a"))
        other, stop = make_kind(), Event()
        waiting(other, "b")
        sender().client.delete(f"dramatiq:{other.name}")
        thread = Thread(target=scheduler.run, args=(stop,))
        thread.start()
        try:
            until(lambda: sender().waiting_messages(other.name), "a wake-up of another lane")
        finally:
            stop.set()
            thread.join(20)
        assert JobExecution.objects.filter(status="running").count() == 0


def try_to_put(kind: Kind, subject: str) -> bool:
    """Store a waiting job, unless the pool hands out a connection that was cut."""
    try:
        put(kind, subject, Status.QUEUED)
    except OperationalError:
        connection.close()
        return False
    return True


def test_the_project_names_the_database_by_a_url() -> None:
    assert settings.DATABASE_URL.startswith(("postgres://", "postgresql://"))
