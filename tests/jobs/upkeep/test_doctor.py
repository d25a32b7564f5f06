"""`manage.py doctor`: what it sees of an installation, and that nothing keeps it from looking at the rest."""

import json
import shutil
import time
from io import StringIO
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from django.core import checks
from django.core.management import CommandError, call_command
from django.db import connection

from jobs.models import JobExecution, WorkerProcess
from jobs.upkeep import examination
from jobs.upkeep.doctor import installation, postgres, redis
from jobs.upkeep.examination import Check, State, examine, ok, problem, register_check, warning
from jobs.version import running_version

pytestmark = pytest.mark.django_db


def see(name: str) -> tuple[str, str]:
    """Do one check, with what it needs; return its state and all that it says."""
    (found,) = [each for each in examine() if each.check.name == name]
    assert not found.blocked, found.diagnosis
    return found.diagnosis.state.value, f"{found.diagnosis.says}. {found.diagnosis.todo}"


def alive(name: str = "host:1-x", **changes: Any) -> WorkerProcess:
    return WorkerProcess.objects.create(
        **{"name": name, "host": "h", "pid": 1, "version": running_version(), "threads": 1, "state": "running"}
        | changes
    )


def run_doctor(*arguments: str) -> tuple[str, int]:
    out = StringIO()
    try:
        call_command("doctor", *arguments, stdout=out)
    except CommandError as error:
        return out.getvalue(), error.returncode
    return out.getvalue(), 0


@pytest.fixture
def none_declared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examination, "_checks", {})


@pytest.mark.usefixtures("none_declared")
class TestExamine:
    def test_names_are_unique(self) -> None:
        register_check(Check("one", lambda: ok("fine")))
        with pytest.raises(ValueError, match="'one' is already declared"):
            register_check(Check("one", lambda: ok("fine")))

    def test_a_check_that_breaks_is_a_problem_and_stops_no_other(self) -> None:
        def sabotage() -> Any:
            with connection.cursor() as cursor:
                cursor.execute("SELECT password=hunter2secret FROM nowhere")

        register_check(Check("postgresql", lambda: ok("")))
        register_check(Check("breaks", sabotage, needs=("postgresql",)))
        register_check(Check("fine", lambda: ok(str(JobExecution.objects.count())), needs=("postgresql",)))
        _, breaks, fine = examine()
        assert breaks.diagnosis.state == State.PROBLEM
        assert "ProgrammingError" in breaks.diagnosis.says
        assert "hunter2secret" not in breaks.diagnosis.says
        assert "\n" not in breaks.diagnosis.says
        assert (fine.diagnosis.state, fine.diagnosis.says) == (State.OK, "0")

    def test_what_needs_something_that_has_a_problem_is_not_looked_at(self) -> None:
        register_check(Check("third", lambda: pytest.fail("looked"), needs=("second",)))
        register_check(Check("second", lambda: pytest.fail("looked"), needs=("first",)))
        register_check(Check("first", lambda: problem("away", "Start it.")))
        register_check(Check("other", lambda: warning("slow", "Hurry.")))
        register_check(Check("fine", lambda: ok("here"), needs=("other",)))
        found = {each.check.name: each.diagnosis for each in examine()}
        assert list(found) == ["first", "second", "third", "other", "fine"], "needs come first"
        assert found["third"] == warning("not looked at", "Mend second first.")
        assert found["second"] == warning("not looked at", "Mend first first.")
        assert found["fine"].state == State.OK

    def test_what_costs_something_is_done_when_asked_for(self) -> None:
        register_check(Check("costs", lambda: ok("spent"), spends=True))
        assert examine() == []
        assert [each.diagnosis.says for each in examine(spend=True)] == ["spent"]

    def test_no_secret_is_told(self) -> None:
        register_check(Check("leaks", lambda: warning("postgres://u:hunter2@h/db", "api_key=AIzaSyA-0123456789abcdef")))
        (found,) = examine()
        assert "hunter2" not in str(found)
        assert "AIzaSyA" not in str(found)

    @pytest.mark.parametrize(
        ("seen", "code"), [(ok("fine"), 0), (warning("slow", "Hurry."), 0), (problem("away", "Start it."), 1)]
    )
    def test_the_command_exits_with_1_for_a_problem_only(self, seen, code) -> None:
        register_check(Check("one", lambda: seen))
        said, found = run_doctor()
        assert found == code
        lines = said.splitlines()
        assert len(lines) == 2, "one line for each check, and one to sum up"
        assert lines[0].split()[:2] == [seen.state.value, "one"]
        assert seen.says in lines[0]
        assert seen.todo in lines[0]

    def test_programs_get_json(self) -> None:
        register_check(Check("one", lambda: warning("slow", "Hurry.")))
        assert json.loads(run_doctor("--json")[0]) == {
            "healthy": True,
            "checks": [{"name": "one", "state": "warning", "says": "slow", "todo": "Hurry."}],
        }


def test_with_a_database_and_redis_that_are_away_everything_else_is_still_told(settings, monkeypatch) -> None:
    settings.DATABASE_URL = "postgresql://user:hunter2secret@/name?host=/nonexistent"
    settings.REDIS_URL = "redis://:hunter2secret@127.0.0.1:1/0"
    said, code = run_doctor()
    assert code == 1
    assert "problem  postgresql" in said
    assert "problem  redis " in said
    assert "hunter2secret" not in said
    assert "versions" in said
    assert said.count("not looked at") > 15


class TestInstallation:
    def test_versions_are_told(self) -> None:
        state, says = see("versions")
        assert state == "ok"
        assert "Django" in says or "django" in says

    def test_a_slow_driver_is_a_warning(self, monkeypatch) -> None:
        monkeypatch.setattr(psycopg.pq, "__impl__", "python")
        assert see("versions")[0] == "warning"

    def test_the_system_checks_are_done(self, monkeypatch) -> None:
        assert see("system_checks")[0] == "ok"
        monkeypatch.setattr(checks, "run_checks", lambda: [checks.Warning("hm", hint="Do it.", id="x.W1")])
        assert see("system_checks") == ("warning", "1 warnings, the first: hm. Do it.")
        found = [checks.Warning("hm", id="x.W1"), checks.Error("no", hint="Set it.", id="x.E1")]
        monkeypatch.setattr(checks, "run_checks", lambda: found)
        assert see("system_checks") == ("problem", "1 errors, the first: no. Set it.")

    @pytest.mark.parametrize(("debug", "state"), [(False, "ok"), (True, "warning")])
    def test_debug(self, settings, debug, state) -> None:
        settings.DEBUG = debug
        assert see("debug")[0] == state

    @pytest.mark.parametrize(
        ("key", "state"),
        [("k3y-" * 15, "problem"), ("short-Ab1", "problem"), ("django-insecure-" + "abcdefghij" * 5, "problem")],
    )
    def test_a_weak_secret_key_is_a_problem_and_is_not_told(self, settings, key, state) -> None:
        settings.SECRET_KEY = key
        found, says = see("secret_key")
        assert found == state
        assert key not in says
        settings.SECRET_KEY = "".join(map(chr, range(48, 98)))
        assert see("secret_key")[0] == "ok"

    @pytest.mark.parametrize(
        ("hosts", "state", "says"),
        [
            (["*", "a.mn"], "problem", "DJANGO_ALLOWED_HOSTS"),
            (["localhost", "[::1]"], "ok", "only this machine's own"),
            (["localhost", "shar.mn"], "ok", "localhost, shar.mn"),
        ],
    )
    def test_allowed_hosts(self, settings, hosts, state, says) -> None:
        settings.ALLOWED_HOSTS = hosts
        found = see("allowed_hosts")
        assert found[0] == state
        assert says in found[1]

    @pytest.mark.parametrize(("gib", "state"), [(0.1, "problem"), (1, "warning"), (50, "ok")])
    def test_disk(self, monkeypatch, gib, state) -> None:
        usage = SimpleNamespace(free=gib * installation.GIB)
        monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
        assert see("disk")[0] == state

    def test_a_directory_that_is_not_there_is_a_warning(self, settings, tmp_path) -> None:
        settings.VAR_DIR = tmp_path / "missing"
        assert see("disk")[0] == "warning"

    def test_static_files(self, settings, tmp_path) -> None:
        settings.STATIC_ROOT = tmp_path / "static"
        state, says = see("static_files")
        assert state == "warning"
        assert "collectstatic" in says
        call_command("collectstatic", interactive=False, verbosity=0)
        assert see("static_files")[0] == "ok"


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Any]]:
    """Answers that PostgreSQL shall give to some of the doctor's statements."""
    given: dict[str, list[Any]] = {}
    real = postgres._rows
    monkeypatch.setattr(postgres, "_rows", lambda statement: given.get(statement) or real(statement))
    return given


class TestPostgres:
    @pytest.mark.parametrize(
        "name",
        [
            "postgresql",
            "pgvector",
            "migrations",
            "schema",
            "clock",
            "connections",
            "idle_transactions",
            "database_size",
        ],
    )
    def test_the_one_of_the_tests_is_in_order(self, name) -> None:
        assert see(name)[0] == "ok"

    def test_an_old_server_is_a_problem(self, monkeypatch) -> None:
        monkeypatch.setattr(postgres, "OLDEST_SERVER", 990_000)
        state, says = see("postgresql")
        assert state == "problem"
        assert "Upgrade to 99" in says

    @pytest.mark.parametrize(
        ("answer", "state", "says"),
        [
            ([(None, "0.8.1")], "problem", "CREATE EXTENSION vector"),
            ([("0.6.2", "0.6.2")], "problem", "0.7 or later"),
            ([("0.7.0", "0.8.1")], "warning", "ALTER EXTENSION vector UPDATE"),
            ([("0.10.0", "0.10.0")], "ok", "0.10.0"),
        ],
    )
    def test_pgvector(self, rows, answer, state, says) -> None:
        rows[postgres._PGVECTOR] = answer
        found = see("pgvector")
        assert found[0] == state
        assert says in found[1]

    def test_a_missing_migration_is_a_problem_and_hides_what_reads_the_tables(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM django_migrations WHERE app = 'upkeep'")
        found = {each.check.name: each for each in examine()}
        assert found["migrations"].diagnosis.state == State.PROBLEM
        assert "upkeep.0001_audit_results" in found["migrations"].diagnosis.says
        assert found["workers"].blocked

    def test_a_database_ahead_of_the_code_is_a_warning(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('jobs', '9999_later', now())")
        state, says = see("migrations")
        assert state == "warning"
        assert "Update the code" in says

    def test_a_lost_index_constraint_or_foreign_key_is_a_problem(self, without) -> None:
        without("jobs_job_one_waiting_per_subject", "jobs_job_status_known", "jobs_attempt_job_id%")
        state, says = see("schema")
        assert state == "problem"
        for name in ("jobs_job_one_waiting_per_subject", "jobs_job_status_known", "jobs_attempt.job_id"):
            assert name in says

    def test_a_constraint_that_was_never_validated_is_a_problem(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE jobs_lane ADD CONSTRAINT lately CHECK (rejections < 9) NOT VALID")
        state, says = see("schema")
        assert state == "problem"
        assert "invalid: lately" in says

    @pytest.mark.parametrize(("seconds", "state"), [(0, "ok"), (-10, "warning"), (10, "warning"), (1000, "problem")])
    def test_clocks_that_differ(self, monkeypatch, seconds, state) -> None:
        there = SimpleNamespace(time=lambda: time.time() + seconds)
        monkeypatch.setattr(postgres, "time", there)
        assert see("clock")[0] == state

    def test_behind_pgbouncer_connections_are_its_own_business(self, rows, settings) -> None:
        rows[postgres._CONNECTIONS] = [(100, 99)]
        settings.DATABASE_DIRECT_URL = settings.DATABASE_URL
        state, says = see("connections")
        assert state == "ok"
        assert "99 of 100 in use" in says

    def test_a_transaction_that_its_process_left_has_to_end(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        state, says = see("idle_transactions")
        assert state == "warning"
        assert "ALTER ROLE" in says

    @pytest.mark.parametrize(
        ("room", "used", "processes", "state"),
        [
            (100, 10, 1, "ok"),
            (100, 85, 1, "warning"),
            (100, 101, 1, "problem"),
            (30, 3, 2, "warning"),
            (20, 3, 2, "problem"),
        ],
    )
    def test_connections(self, rows, settings, room, used, processes, state) -> None:
        settings.JOB_CONCURRENCY = 5
        rows[postgres._CONNECTIONS] = [(room, used)]
        for number in range(processes):
            alive(f"host:{number}-x")
        assert see("connections")[0] == state


class TestRedis:
    @pytest.mark.parametrize("name", ["redis", "redis_eviction", "redis_persistence", "redis_memory"])
    def test_the_one_of_the_tests_is_in_order(self, name) -> None:
        assert see(name)[0] == "ok"

    @pytest.mark.parametrize(
        ("name", "info", "state"),
        [
            ("redis", {"redis_version": "7.2.1"}, "ok"),
            ("redis_eviction", {"maxmemory_policy": "allkeys-lru"}, "warning"),
            ("redis_eviction", {}, "warning"),
            ("redis_persistence", {"aof_enabled": 0}, "warning"),
            ("redis_memory", {"used_memory": 79, "maxmemory": 100}, "ok"),
            ("redis_memory", {"used_memory": 81, "maxmemory": 100}, "warning"),
            ("redis_memory", {"used_memory": 100, "maxmemory": 100}, "problem"),
            ("redis_memory", {"used_memory": 100, "maxmemory": 0}, "ok"),
        ],
    )
    def test_what_would_lose_messages(self, monkeypatch, name, info, state) -> None:
        monkeypatch.setattr(redis, "_info", lambda: info)
        assert see(name)[0] == state
