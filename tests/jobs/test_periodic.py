"""Periodic work: made a job when its time has come, once."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from jobs import periodic
from jobs.actor import Actor
from jobs.duties import _duties
from jobs.execute import run_lane
from jobs.kinds import Kind, UnknownKind
from jobs.models import JobExecution, PeriodicTask
from jobs.periodic import LATE, SUBJECT, declared, enable, every, run_now, start_due
from jobs.schedule import Daily, Every
from jobs.states import Priority
from tests.concurrency import Session, at_once, until_blocked

from .support import claimed, long_ago, statuses

pytestmark = pytest.mark.django_db

HOUR = Every(3600)


@pytest.fixture(autouse=True)
def _none_declared(monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation without periodic work."""
    monkeypatch.setattr(periodic, "_declared", {})


@pytest.fixture
def hourly(kind: Kind) -> Iterator[Kind]:
    """A kind that is due every hour, and known to the leader."""
    every(HOUR, kind.name)
    start_due()
    yield kind
    JobExecution.objects.filter(kind=kind.name).delete()


def task(kind: Kind) -> PeriodicTask:
    return PeriodicTask.objects.get(name=kind.name)


def due(kind: Kind, seconds: float = 1) -> None:
    """Let the work have been due for so long."""
    PeriodicTask.objects.filter(name=kind.name).update(next_due_at=long_ago(seconds))


def jobs(kind: Kind) -> list[JobExecution]:
    return list(JobExecution.objects.filter(kind=kind.name).order_by("created_at"))


class TestDeclaring:
    def test_twice_alike_is_one_and_two_schedules_are_a_mistake(self, kind: Kind) -> None:
        every(HOUR, kind.name)
        every(HOUR, kind.name)
        with pytest.raises(ValueError, match="has a schedule already"):
            every(Daily(3), kind.name)
        assert [each.schedule for each in declared()] == [HOUR]

    def test_the_priority_goes_by_name(self, kind: Kind) -> None:
        assert every(HOUR, kind.name, priority="high").priority == Priority.HIGH
        with pytest.raises(ValueError, match="urgent"):
            every(HOUR, "other", priority="urgent")

    def test_the_leader_looks_by_itself(self) -> None:
        assert _duties["periodic"].act is start_due


class TestStarting:
    def test_what_is_new_is_first_due_after_one_period(self, hourly: Kind) -> None:
        wait = task(hourly).next_due_at - timezone.now()
        assert timedelta(minutes=59) < wait <= timedelta(hours=1)
        assert start_due() == []
        assert jobs(hourly) == []

    def test_what_is_due_becomes_a_job_and_is_due_again_after_one_period(self, hourly: Kind) -> None:
        due(hourly)
        assert start_due() == [hourly.name]
        (job,) = jobs(hourly)
        assert (job.status, job.subject, job.priority) == ("queued", SUBJECT, Priority.LOW)
        assert (job.metadata["triggered_by"], job.metadata["source"]) == ("scheduler", "cron")
        found = task(hourly)
        assert found.last_job == job
        assert found.last_started_at is not None
        assert timedelta(minutes=59) < found.next_due_at - timezone.now() <= timedelta(hours=1)
        assert start_due() == []

    def test_it_is_done_like_any_other_job(self, hourly: Kind) -> None:
        due(hourly)
        start_due()
        assert run_lane(hourly.name)
        assert statuses(hourly) == {"succeeded": 1}

    def test_a_job_that_still_waits_is_joined(self, hourly: Kind) -> None:
        for _ in range(3):
            due(hourly)
            assert start_due() == [hourly.name]
        assert len(jobs(hourly)) == 1

    def test_one_that_runs_is_followed_by_one_more_and_no_further(self, hourly: Kind) -> None:
        claimed(hourly, SUBJECT)
        for _ in range(3):
            due(hourly)
            start_due()
        assert statuses(hourly) == {"running": 1, "queued": 1}
        assert task(hourly).last_job == jobs(hourly)[1]

    def test_times_that_passed_are_made_good_once(self, hourly: Kind) -> None:
        due(hourly, 30 * 3600)
        assert start_due() == [hourly.name]
        assert start_due() == []
        assert len(jobs(hourly)) == 1
        found = task(hourly)
        assert found.missed == 1
        assert found.next_due_at > timezone.now()

    def test_a_little_late_is_not_missed(self, hourly: Kind) -> None:
        due(hourly, LATE - 20)
        start_due()
        assert task(hourly).missed == 0

    def test_what_was_switched_off_is_not_started(self, hourly: Kind) -> None:
        enable(hourly.name, enabled=False)
        due(hourly)
        assert start_due() == []
        assert jobs(hourly) == []

    def test_what_is_no_longer_declared_is_not_started(self, hourly: Kind) -> None:
        due(hourly)
        periodic._declared.clear()
        assert start_due() == []

    def test_a_kind_that_nobody_declares_keeps_no_other_from_its_turn(self, hourly: Kind) -> None:
        every(HOUR, "a_missing_kind")
        every(HOUR, "z_missing_kind")
        start_due()
        PeriodicTask.objects.update(next_due_at=long_ago(1))
        assert start_due() == [hourly.name]
        assert len(jobs(hourly)) == 1
        assert PeriodicTask.objects.get(name="a_missing_kind").last_started_at is None
        assert start_due() == [], "it is logged once a period, not at every look"

    def test_a_job_that_cannot_be_made_leaves_the_work_due(self, hourly: Kind, monkeypatch) -> None:
        due(hourly)

        def fail(*args: Any, **options: Any) -> None:
            raise LookupError("no")

        with monkeypatch.context() as broken:
            broken.setattr(periodic, "enqueue", fail)
            with pytest.raises(LookupError):
                start_due()
        assert start_due() == [hourly.name]


class TestRunningNow:
    def test_it_makes_the_job_and_leaves_the_schedule_as_it_is(self, hourly: Kind) -> None:
        before = task(hourly).next_due_at
        entry = run_now(hourly.name, actor=Actor("болд", "admin"))
        assert entry.created
        job = JobExecution.objects.get(id=entry.job_id)
        assert job.metadata["triggered_by"] == "болд"
        assert (task(hourly).next_due_at, task(hourly).last_job) == (before, job)

    def test_it_joins_a_job_that_waits(self, hourly: Kind) -> None:
        first, second = run_now(hourly.name), run_now(hourly.name)
        assert (second.job_id, second.created) == (first.job_id, False)

    def test_it_works_before_any_leader_and_when_switched_off(self, kind: Kind) -> None:
        every(HOUR, kind.name)
        assert run_now(kind.name).created
        enable(kind.name, enabled=False)
        run_lane(kind.name)
        assert run_now(kind.name).created

    def test_a_kind_without_a_schedule_is_an_error(self, kind: Kind) -> None:
        with pytest.raises(LookupError):
            run_now(kind.name)


class TestSwitching:
    def test_switched_on_again_it_goes_on_with_the_next_due_time(self, hourly: Kind) -> None:
        enable(hourly.name, enabled=False)
        due(hourly, 30 * 3600)
        enable(hourly.name, enabled=True)
        assert start_due() == []
        assert task(hourly).missed == 0
        due(hourly)
        assert start_due() == [hourly.name]

    def test_switched_on_while_it_is_on_what_is_due_stays_due(self, hourly: Kind) -> None:
        due(hourly)
        enable(hourly.name, enabled=True)
        assert start_due() == [hourly.name]

    def test_it_can_be_switched_off_before_any_leader_saw_it(self, kind: Kind) -> None:
        every(HOUR, kind.name)
        enable(kind.name, enabled=False)
        start_due()
        assert not task(kind).enabled
        with pytest.raises(LookupError):
            enable("unknown", enabled=False)


@pytest.mark.django_db(transaction=True)
class TestTwoLeaders:
    def test_each_task_is_started_once(self, hourly: Kind) -> None:
        for _ in range(5):
            due(hourly)
            started = at_once(start_due, start_due, start_due)
            assert sorted(started, key=len) == [[], [], [hourly.name]]
            assert len(jobs(hourly)) == 1
            run_lane(hourly.name)
            JobExecution.objects.filter(kind=hourly.name).delete()

    def test_the_first_look_of_two_makes_one_row(self, kind: Kind) -> None:
        every(HOUR, kind.name)
        assert at_once(start_due, start_due) == [[], []]
        assert PeriodicTask.objects.count() == 1

    def test_one_that_another_has_in_hand_is_left_to_it(self, hourly: Kind, session: Callable[[], Session]) -> None:
        other = session()
        due(hourly)
        other.begin()
        assert other.do(start_due) == [hourly.name]
        assert start_due() == []
        other.rollback()
        assert start_due() == [hourly.name], "what the other did not commit is still due"
        assert len(jobs(hourly)) == 1

    def test_run_now_waits_for_a_leader_and_joins_its_job(self, hourly: Kind, session: Callable[[], Session]) -> None:
        leader, person = session(), session()
        due(hourly)
        leader.begin()
        leader.do(start_due)
        asked = person.start(run_now, hourly.name)
        until_blocked(asked)
        leader.commit()
        assert asked.result(20).created is False
        assert len(jobs(hourly)) == 1


def test_an_unknown_kind_is_an_error_to_whoever_asks_for_it() -> None:
    every(HOUR, "missing_kind")
    with pytest.raises(UnknownKind):
        run_now("missing_kind")
