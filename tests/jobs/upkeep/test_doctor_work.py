"""What the doctor says of the work: workers, scheduler, lanes, periodic work, the audit."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from psycopg.conninfo import make_conninfo

from jobs.actor import Actor
from jobs.errors import InvalidInput, NotFound
from jobs.kinds import Kind
from jobs.lanes import pause
from jobs.leadership import Leadership
from jobs.models import DeadLetter, JobExecution, Lane, PeriodicTask
from jobs.upkeep.audit import Finding, audit, register
from jobs.workers import enter_registry
from tests.jobs.support import claimed, end, long_ago, put, waiting

from .conftest import invariant
from .test_doctor import alive, see

pytestmark = pytest.mark.django_db


class TestWorkers:
    def test_none_is_a_problem(self) -> None:
        state, says = see("workers")
        assert state == "problem"
        assert "rundramatiq" in says
        assert see("scheduler")[0] == "warning", "the problem is told once"

    def test_one_that_beats_is_in_order(self) -> None:
        enter_registry(1)
        for name in ("workers", "workers_stuck", "workers_lost", "workers_memory", "workers_version"):
            assert see(name)[0] == "ok", name

    def test_one_that_does_not_get_on_is_a_problem(self, settings) -> None:
        alive(busy_since=long_ago(settings.JOB_TIMEOUT + 10), busy_with="generate_embedding x 100")
        state, says = see("workers_stuck")
        assert state == "problem"
        assert "host:1-x with generate_embedding x 100" in says

    def test_those_lost_within_a_day_are_a_warning(self) -> None:
        for number in range(5):
            alive(f"host:{number}-x", state="lost", last_heartbeat_at=long_ago(100 + number))
        alive("old", state="lost", last_heartbeat_at=long_ago(2 * 86_400))
        state, says = see("workers_lost")
        assert state == "warning"
        assert says.startswith("5 stopped beating within a day: host:0-x, host:1-x, host:2-x and 2 more")

    def test_one_without_memory_is_a_warning(self) -> None:
        alive(memory_high=True)
        assert see("workers_memory")[0] == "warning"

    def test_other_code_is_a_warning(self) -> None:
        alive()
        alive("host:2-x", version="0ld")
        alive("host:3-x", version="0lder", state="stopped")
        state, says = see("workers_version")
        assert state == "warning"
        assert "0ld x 1. " in says


class TestScheduler:
    def test_a_leader_is_told_from_none(self, settings) -> None:
        settings.DATABASE_URL = make_conninfo(settings.DATABASE_URL, dbname=connection.settings_dict["NAME"])
        enter_registry(1)
        assert see("scheduler")[0] == "problem"
        leadership = Leadership()
        try:
            assert leadership.holds()
            assert see("scheduler")[0] == "ok"
        finally:
            leadership.resign()

    def test_another_lock_is_no_leader(self) -> None:
        enter_registry(1)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(42)")
        assert see("scheduler")[0] == "problem"


class TestLanes:
    def test_paused_by_a_person_is_a_warning_with_who_and_why(self, kind: Kind) -> None:
        assert see("lanes")[0] == "ok"
        waiting(kind, "a", "b")
        pause(kind.name, actor=Actor("болд", "api"), reason="new key")
        state, says = see("lanes")
        assert state == "warning"
        assert f"{kind.name} paused by болд (new key), 2 wait" in says

    def test_paused_by_the_system_is_a_problem(self, kind: Kind) -> None:
        pause(kind.name, actor=Actor("system", "cron"), reason="key refused")
        Lane.objects.filter(kind=kind.name).update(circuit="auth")
        state, says = see("lanes")
        assert state == "problem"
        assert "auth (key refused)" in says

    def test_a_job_that_has_waited_for_long_is_a_warning_unless_its_lane_is_paused(self, kind: Kind) -> None:
        assert see("waiting_jobs") == ("ok", "no job is due. ")
        put(kind, "a", "queued", next_attempt_at=long_ago(100))
        assert see("waiting_jobs")[0] == "ok"
        put(kind, "b", "queued", next_attempt_at=long_ago(7200))
        state, says = see("waiting_jobs")
        assert state == "warning"
        assert kind.name in says
        pause(kind.name, actor=Actor("x", "api"))
        assert see("waiting_jobs")[0] == "ok"

    def test_dead_letters_that_nobody_settled_are_a_warning(self, kind: Kind) -> None:
        end(claimed(kind, "a"), NotFound("x"))
        end(claimed(kind, "b"), InvalidInput("x"))
        end(claimed(kind, "c"), InvalidInput("x"))
        state, says = see("dead_letters")
        assert state == "warning"
        assert "2 invalid_input, 1 not_found" in says
        DeadLetter.objects.update(resolved_at=long_ago())
        assert see("dead_letters")[0] == "ok"


class TestPeriodic:
    def task(self, name: str = "prune", **changes: Any) -> None:
        later = timezone.now() + timedelta(hours=1)
        PeriodicTask.objects.create(**{"name": name, "next_due_at": later} | changes)

    def test_in_time(self) -> None:
        self.task(missed=3)
        self.task("unknown", next_due_at=long_ago())
        assert see("periodic") == ("ok", "all in time now; late so far: prune 3 times. ")

    def test_one_that_nobody_starts_is_a_problem(self) -> None:
        self.task(next_due_at=long_ago(400))
        state, says = see("periodic")
        assert state == "problem"
        assert "prune was due at" in says

    def test_one_that_is_switched_off_is_a_warning_and_never_late(self) -> None:
        self.task(next_due_at=long_ago(), enabled=False)
        assert see("periodic")[0] == "warning"

    def test_one_whose_last_job_is_dead_is_a_warning(self, kind: Kind) -> None:
        end(claimed(kind, "a"), NotFound("x"))
        self.task(last_job=JobExecution.objects.get())
        state, says = see("periodic")
        assert state == "warning"
        assert "the last job of prune is dead" in says


class TestAudit:
    def test_none_yet_is_a_warning_one_that_held_is_in_order(self, declared) -> None:
        register(invariant("one"))
        assert see("audit")[0] == "warning"
        audit()
        state, says = see("audit")
        assert state == "ok"
        assert "UTC" in says

    def test_a_violation_is_a_problem(self, declared) -> None:
        register(invariant("one", lambda limit: Finding(3, [])))
        audit()
        state, says = see("audit")
        assert state == "problem"
        assert "3 violations: one" in says
        assert "--repair" in says
