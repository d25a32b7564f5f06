"""Each rule on both sides of its threshold."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
from django.db import connection
from django.urls import resolve
from model_bakery import baker
from redis import Redis, ResponseError

from jobs import workers
from jobs.actor import Actor
from jobs.alerts import sql
from jobs.alerts.alert_rules import lanes, queue, redis, storage
from jobs.alerts.alert_rules import workers as worker_rules
from jobs.alerts.evaluate import evaluate
from jobs.alerts.look import look
from jobs.alerts.models import AlertEvent
from jobs.alerts.rules import Finding, all_rules
from jobs.errors import AuthError, ConfigurationError, NetworkError, NotFound, QuotaExhausted
from jobs.kinds import Kind
from jobs.lanes import pause, resume
from jobs.models import DeadLetter, JobExecution, Lane, WorkerProcess
from jobs.states import Status
from tests.jobs.support import ahead, claimed, end, long_ago, put

pytestmark = pytest.mark.django_db


def asked(name: str) -> Finding:
    """Ask a rule as it is declared, with the threshold of its setting."""
    (reading,) = look([rule for rule in all_rules() if rule.name == name])
    assert reading.finding is not None, reading.error
    return reading.finding


def both_sides(name: str, make_worse: Callable[[], Any]) -> Finding:
    """Return what a rule finds when it just got too bad."""
    assert not asked(name).firing
    make_worse()
    found = asked(name)
    assert found.firing
    return found


def test_a_healthy_system_fires_nothing() -> None:
    workers.enter_registry(1)
    readings = evaluate()
    assert {each.rule.name for each in readings} == {
        "daily_budget",
        "database_size",
        "dead_letters",
        "disk",
        "failure_rate",
        "no_worker",
        "oldest_waiting",
        "provider_paused",
        "redis_away",
        "redis_unsafe",
        "waiting_jobs",
        "worker_lost",
    }
    assert [each.error for each in readings if each.error] == []
    assert not AlertEvent.objects.exists()


def test_an_evaluation_costs_few_queries(django_assert_max_num_queries) -> None:
    workers.enter_registry(1)
    evaluate()
    with django_assert_max_num_queries(4 * len(all_rules())) as all_queries:
        evaluate()
    guards = ("SAVEPOINT", "RELEASE", "SELECT set_config")
    assert len([each for each in all_queries if not each["sql"].strip().startswith(guards)]) <= len(all_rules()) + 1


def test_every_rule_says_what_to_do_and_where(kind: Kind) -> None:
    for rule in all_rules():
        assert rule.next_step.endswith(".")
        if rule.page:
            assert resolve(urlsplit(rule.page).path).app_name == "admin", rule.name


class TestDeadLetters:
    """`dead_letters`."""

    def bury(self, kind: Kind, count: int) -> None:
        for _ in range(count):
            end(claimed(kind, f"s{JobExecution.objects.count()}"), NotFound("x"))

    def test_it_fires_beyond_the_threshold(self, kind: Kind, settings: Any) -> None:
        settings.ALERT_DEAD_LETTERS = 3
        self.bury(kind, 3)
        found = both_sides("dead_letters", lambda: self.bury(kind, 1))
        assert (found.value, found.message) == (4, "Unsettled dead letters: 4.")

    def test_what_a_person_settled_does_not_count(self, kind: Kind, settings: Any) -> None:
        settings.ALERT_DEAD_LETTERS = 0
        self.bury(kind, 1)
        DeadLetter.objects.update(resolved_at=long_ago(), resolution="resolved")
        assert asked("dead_letters").value == 0

    def test_it_counts_no_further_than_it_has_to(self, kind: Kind, monkeypatch) -> None:
        monkeypatch.setattr(sql, "COUNT_LIMIT", 2)
        self.bury(kind, 4)
        assert queue.dead_letters(1).message == "Unsettled dead letters: 2 or more."
        assert queue.dead_letters(2).value == 3


class TestWaiting:
    """`waiting_jobs` and `oldest_waiting`."""

    def test_jobs_that_wait_count_whether_they_are_due_or_not(self, kind: Kind, settings: Any) -> None:
        settings.ALERT_WAITING_JOBS = 1
        put(kind, "a", "queued")
        for status in set(Status.values) - {"queued", "retrying"}:
            put(kind, status, status)
        found = both_sides("waiting_jobs", lambda: put(kind, "b", "retrying", next_attempt_at=ahead()))
        assert found.value == 2

    def test_a_job_that_is_due_for_too_long_fires_and_names_its_lane(self, kind: Kind, settings: Any) -> None:
        settings.ALERT_OLDEST_WAITING = 900
        put(kind, "a", "queued", next_attempt_at=long_ago(840))
        assert asked("oldest_waiting").value == pytest.approx(840, abs=30)
        found = both_sides("oldest_waiting", lambda: put(kind, "b", "retrying", priority=2, next_attempt_at=long_ago()))
        assert kind.name in found.message
        assert "60 minutes" in found.message

    def test_a_job_that_runs_or_is_not_due_does_not_count(self, kind: Kind) -> None:
        put(kind, "a", "running", next_attempt_at=long_ago())
        put(kind, "b", "retrying", next_attempt_at=ahead())
        assert (asked("oldest_waiting").firing, asked("oldest_waiting").value) == (False, 0)

    def test_jobs_of_a_kind_that_nobody_declares_any_more_count(self, kind: Kind) -> None:
        gone = put(kind, "a", "queued", next_attempt_at=long_ago())
        JobExecution.objects.filter(id=gone.id).update(kind="forgotten")
        Lane.objects.create(kind="forgotten")
        assert "forgotten" in asked("oldest_waiting").message


class TestFailureRate:
    """`failure_rate`."""

    def ended(self, kind: Kind, count: int, status: str, **changes: Any) -> None:
        changes.setdefault("finished_at", long_ago(60))
        for _ in range(count):
            put(kind, str(JobExecution.objects.count()), status, **changes)

    def test_it_fires_beyond_the_share(self, kind: Kind, settings: Any) -> None:
        settings.ALERT_FAILURE_RATE = 0.05
        self.ended(kind, 38, "succeeded")
        self.ended(kind, 2, "dead")
        assert asked("failure_rate").value == 0.05
        found = both_sides("failure_rate", lambda: self.ended(kind, 1, "dead"))
        assert found.message == "3 of the 41 jobs that ended in the last hour failed (7.3%)."

    def test_a_few_jobs_tell_nothing(self, kind: Kind) -> None:
        self.ended(kind, queue.MIN_JOBS - 1, "dead")
        assert asked("failure_rate").value is None
        self.ended(kind, 1, "dead")
        assert asked("failure_rate").firing

    def test_neither_older_jobs_nor_cancelled_ones_count(self, kind: Kind) -> None:
        self.ended(kind, 30, "dead", finished_at=long_ago(3700))
        self.ended(kind, 30, "cancelled")
        assert asked("failure_rate").value is None

    def test_of_very_many_the_latest_are_taken(self, kind: Kind, monkeypatch) -> None:
        monkeypatch.setattr(queue, "COUNT_LIMIT", 20)
        self.ended(kind, 10, "dead", finished_at=long_ago(600))
        self.ended(kind, 20, "succeeded")
        assert (asked("failure_rate").value, "the latest 20" in asked("failure_rate").message) == (0, True)


class TestWorkers:
    """`worker_lost` and `no_worker`."""

    def test_a_worker_that_went_silent_lately_fires_and_is_named(self, settings: Any) -> None:
        settings.ALERT_WORKER_LOST_WINDOW = 900
        workers.enter_registry(1)
        silent = WorkerProcess.objects.filter(name=workers.worker_name())

        def lose() -> None:
            silent.update(last_heartbeat_at=long_ago(600))
            assert workers.find_lost()

        found = both_sides("worker_lost", lose)
        assert workers.worker_name() in found.message
        silent.update(last_heartbeat_at=long_ago(960))
        assert not asked("worker_lost").firing

    def test_a_worker_that_stopped_is_not_lost(self) -> None:
        workers.enter_registry(1)
        workers.say_stopped()
        assert not asked("worker_lost").firing

    def test_many_are_counted_and_some_are_named(self) -> None:
        baker.make(WorkerProcess, state="lost", last_heartbeat_at=long_ago(60), _quantity=5)
        found = asked("worker_lost")
        assert (found.value, found.message.count(","), "and 2 more" in found.message) == (5, 2, True)

    def test_no_worker_at_all_fires(self) -> None:
        workers.enter_registry(1)
        assert both_sides("no_worker", workers.say_stopped).value == 0

    def test_one_that_does_not_beat_is_none(self) -> None:
        workers.enter_registry(1)
        both_sides("no_worker", lambda: WorkerProcess.objects.update(last_heartbeat_at=long_ago()))

    def test_their_queries_are_the_declared_checks(self) -> None:
        declared = {rule.name: rule.check for rule in all_rules()}
        assert declared["worker_lost"] is worker_rules.worker_lost
        assert declared["no_worker"] is worker_rules.no_worker


class TestLanes:
    """`provider_paused`."""

    @pytest.mark.parametrize("error", [AuthError, QuotaExhausted, ConfigurationError])
    def test_a_lane_that_its_provider_closed_fires_until_it_is_resumed(self, kind: Kind, error: Any) -> None:
        found = both_sides("provider_paused", lambda: end(claimed(kind, "a"), error("API key not valid")))
        assert f"{kind.name} ({error.error_class}: API key not valid)" in found.message
        resume(kind.name)
        assert not asked("provider_paused").firing

    def test_other_failures_close_nothing(self, kind: Kind) -> None:
        end(claimed(kind, "a"), NetworkError("refused"))
        assert not asked("provider_paused").firing

    def test_what_a_person_paused_is_no_alert(self, kind: Kind) -> None:
        pause(kind.name, actor=Actor("op", "api"))
        assert not asked("provider_paused").firing

    def test_a_pause_that_is_over_is_no_alert(self, kind: Kind) -> None:
        end(claimed(kind, "a"), QuotaExhausted("per day"))
        Lane.objects.update(paused_until=long_ago())
        assert lanes.provider_paused(0).value == 0


@pytest.fixture
def config(redis_client: Redis) -> Iterator[Callable[[str, str], None]]:
    """Change the server's settings for a test."""
    before: dict[str, str] = {}

    def change(name: str, value: str) -> None:
        before.setdefault(name, redis_client.config_get(name)[name])
        redis_client.config_set(name, value)

    yield change
    for name, value in before.items():
        redis_client.config_set(name, value)


class TestRedis:
    """`redis_away` and `redis_unsafe`."""

    @pytest.mark.usefixtures("dead_redis")
    def test_one_that_is_away_fires_one_of_the_two_rules_and_names_no_address(self) -> None:
        found = asked("redis_away")
        assert found.firing
        assert "sock" not in found.message
        assert not asked("redis_unsafe").firing

    def test_one_that_is_there_does_not(self) -> None:
        assert not asked("redis_away").firing

    def test_one_that_may_evict_fires(self, config) -> None:
        found = both_sides("redis_unsafe", lambda: config("maxmemory-policy", "allkeys-lru"))
        assert "maxmemory-policy is allkeys-lru" in found.message

    def test_one_that_writes_nothing_to_disk_fires(self, config) -> None:
        found = both_sides("redis_unsafe", lambda: config("appendonly", "no"))
        assert found.message == "Redis may forget: appendonly is no and it takes no snapshots."
        config("save", "3600 1")
        assert not asked("redis_unsafe").firing

    def test_a_server_that_forbids_config_is_believed_to_take_snapshots(self, config, monkeypatch) -> None:
        config("appendonly", "no")
        monkeypatch.setattr(Redis, "config_get", refuse)
        assert not asked("redis_unsafe").firing

    @pytest.mark.parametrize(
        ("told", "words"),
        [
            ({"aof_enabled": 1, "aof_last_write_status": "err"}, "the last write of its append-only file failed"),
            ({"aof_enabled": 0, "rdb_last_bgsave_status": "err"}, "its last snapshot failed"),
        ],
    )
    def test_one_whose_last_write_failed_fires(self, monkeypatch, told: dict[str, Any], words: str) -> None:
        monkeypatch.setattr(Redis, "info", lambda self, section: told)
        monkeypatch.setattr(Redis, "config_get", refuse)
        assert words in redis.redis_unsafe(0).message


def refuse(*_: Any, **__: Any) -> None:
    raise ResponseError("unknown command 'CONFIG'")


class TestStorage:
    """`disk` and `database_size`."""

    def test_a_volume_that_is_nearly_full_fires(self, settings: Any) -> None:
        used = psutil.disk_usage(str(settings.VAR_DIR)).percent / 100
        settings.ALERT_DISK_SHARE = min(0.999, used + 0.2)
        assert asked("disk").value == pytest.approx(used, abs=0.1)

        def lower() -> None:
            settings.ALERT_DISK_SHARE = max(0.0, used - 0.2)

        both_sides("disk", lower)

    def test_a_directory_that_is_not_there_yet_is_where_it_would_be(self, settings: Any) -> None:
        settings.VAR_DIR = settings.VAR_DIR / "not" / "yet"
        assert asked("disk").value > 0

    def test_a_database_beyond_the_size_fires_and_0_is_off(self, settings: Any) -> None:
        settings.ALERT_DATABASE_SIZE = 100_000

        def lower() -> None:
            settings.ALERT_DATABASE_SIZE = 1

        assert both_sides("database_size", lower).value > 1
        settings.ALERT_DATABASE_SIZE = 0
        assert not asked("database_size").firing
        assert storage.database_size(0).value is None


def test_a_question_is_given_up_when_it_takes_too_long(monkeypatch) -> None:
    monkeypatch.setattr(sql, "PATIENCE", 20)
    monkeypatch.setattr(queue, "_WAITING", "SELECT count(*) FROM (SELECT pg_sleep(30)) AS slow")
    (reading,) = look([rule for rule in all_rules() if rule.name == "waiting_jobs"])
    assert "statement timeout" in reading.error
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
