"""Old rows go by age, in small batches; what a person has not settled stays."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from jobs import idempotency, periodic
from jobs.actor import Actor
from jobs.enqueue import enqueue, enqueue_many
from jobs.errors import NotFound
from jobs.execute import run_lane
from jobs.kinds import Kind
from jobs.lifecycle import StateConflict, cancel, retry
from jobs.models import (
    Attempt,
    DeadLetter,
    IdempotentRequest,
    JobExecution,
    Lease,
    PeriodicTask,
    Run,
    RunCount,
    WorkerProcess,
)
from jobs.runs import start_run
from jobs.schedule import Every
from jobs.upkeep import pruners, retention
from jobs.upkeep.audit import audit
from jobs.upkeep.kinds import PRUNE
from jobs.upkeep.pruners import BATCH, Pruner, prune, register
from tests.concurrency import Session, until_blocked
from tests.jobs.support import claimed, end, job_of, long_ago, network_failure, put, waiting

pytestmark = pytest.mark.django_db

DAY = 86_400.0
OPERATOR = Actor("операторч", "cli")


@pytest.fixture(autouse=True)
def _days(settings: Any) -> None:
    settings.RETENTION_JOBS_DAYS = 30
    settings.RETENTION_DEAD_LETTERS_DAYS = 90
    settings.RETENTION_RUNS_DAYS = 180
    settings.RETENTION_WORKERS_DAYS = 7


def age(days: float, **which: Any) -> None:
    """Let jobs have ended so many days ago."""
    JobExecution.objects.filter(**which).update(finished_at=long_ago(days * DAY))


def settle(days: float, **which: Any) -> None:
    """Let dead letters have been settled so many days ago."""
    DeadLetter.objects.filter(**which).update(resolved_at=long_ago(days * DAY), resolution="resolved")


def subjects() -> set[str]:
    return set(JobExecution.objects.values_list("subject", flat=True))


def dead(kind: Kind, subject: str) -> JobExecution:
    batch = claimed(kind, subject)
    end(batch, NotFound("gone"))
    return job_of(batch)


class TestJobs:
    @pytest.mark.parametrize("status", ["succeeded", "cancelled", "dead"])
    def test_finished_ones_go_by_the_time_of_their_end(self, kind: Kind, status: str) -> None:
        put(kind, "old", status, finished_at=long_ago(31 * DAY))
        put(kind, "young", status, finished_at=long_ago(29 * DAY), created_at=long_ago(300 * DAY))
        assert prune() == {"jobs": 1}
        assert subjects() == {"young"}

    @pytest.mark.parametrize("status", ["queued", "retrying", "running"])
    def test_others_stay_however_old(self, kind: Kind, status: str) -> None:
        put(kind, "old", status, created_at=long_ago(900 * DAY), finished_at=long_ago(900 * DAY))
        assert prune() == {}
        assert subjects() == {"old"}
        assert Lease.objects.count() == (status == "running")

    def test_attempts_go_with_their_job(self, kind: Kind) -> None:
        for subject in ("old", "young"):
            end(claimed(kind, subject), network_failure())
            cancel(JobExecution.objects.get(subject=subject).id, by="x")
        age(31, subject="old")
        assert Attempt.objects.count() == 2
        prune()
        assert [attempt.job.subject for attempt in Attempt.objects.all()] == ["young"]

    def test_what_a_periodic_task_did_last_may_go(self, kind: Kind) -> None:
        end(claimed(kind, "a"))
        PeriodicTask.objects.create(name="x", next_due_at=timezone.now(), last_job=JobExecution.objects.get())
        age(31)
        assert prune() == {"jobs": 1}
        assert PeriodicTask.objects.get().last_job is None

    def test_no_number_of_days_keeps_them_for_ever(self, kind: Kind, settings) -> None:
        settings.RETENTION_JOBS_DAYS = 0
        put(kind, "old", "succeeded", finished_at=long_ago(9000 * DAY))
        assert prune() == {}


class TestDeadLetters:
    def test_one_that_nobody_settled_is_never_pruned_nor_are_its_job_and_attempts(self, kind: Kind) -> None:
        dead(kind, "a")
        age(9000)
        DeadLetter.objects.update(created_at=long_ago(9000 * DAY))
        assert prune() == {}
        assert (DeadLetter.objects.count(), subjects(), Attempt.objects.count()) == (1, {"a"}, 1)

    def test_settled_ones_go_by_the_time_of_that_and_then_their_jobs(self, kind: Kind) -> None:
        for subject in ("settled long ago", "settled lately"):
            dead(kind, subject)
        age(200)
        settle(91, subject="settled long ago")
        settle(89, subject="settled lately")
        assert prune() == {"dead_letters": 1, "jobs": 1}
        assert subjects() == {"settled lately"}, "a letter that is kept keeps its job"
        assert DeadLetter.objects.get().subject == "settled lately"

    def test_a_job_with_a_settled_and_an_open_letter_stays(self, kind: Kind) -> None:
        job = dead(kind, "a")
        retry(job.id, actor=OPERATOR)
        end(claimed(kind), NotFound("again"))
        age(200)
        DeadLetter.objects.filter(resolved_at__isnull=False).update(resolved_at=long_ago(100 * DAY))
        assert prune() == {"dead_letters": 1}
        assert DeadLetter.objects.get().resolved_at is None
        assert subjects() == {"a"}

    def test_no_number_of_days_keeps_them_and_their_jobs_for_ever(self, kind: Kind, settings) -> None:
        settings.RETENTION_DEAD_LETTERS_DAYS = 0
        dead(kind, "a")
        age(9000)
        settle(9000)
        assert prune() == {}


class TestRuns:
    def made(self, kind: Kind, days: float, **changes: Any) -> Run:
        run = start_run(kind.name, total=1)
        Run.objects.filter(id=run.id).update(**{"created_at": long_ago(days * DAY), "state": "completed"} | changes)
        return run

    def test_they_go_when_their_jobs_are_gone_with_their_counts(self, kind: Kind) -> None:
        run = self.made(kind, 0)
        enqueue_many(kind.name, ["a"], run=run)
        end(claimed(kind))
        Run.objects.update(created_at=long_ago(200 * DAY), state="completed")
        assert prune() == {}, "a young job keeps its run"
        age(31)
        assert RunCount.objects.count() == 1
        assert prune() == {"jobs": 1, "runs": 1}, "counts are no runs"
        assert (Run.objects.count(), RunCount.objects.count()) == (0, 0)

    def test_an_open_dead_letter_keeps_the_run_of_its_job(self, kind: Kind) -> None:
        run = self.made(kind, 0)
        enqueue_many(kind.name, ["a"], run=run)
        end(claimed(kind), NotFound("x"))
        Run.objects.update(created_at=long_ago(200 * DAY), state="completed")
        age(200)
        assert prune() == {}
        assert DeadLetter.objects.count() == 1

    def test_young_ones_stay(self, kind: Kind) -> None:
        self.made(kind, 181)
        young = self.made(kind, 179)
        assert prune() == {"runs": 1}
        assert Run.objects.get() == young

    @pytest.mark.parametrize("state", ["running", "stopping"])
    def test_one_that_is_under_way_stays_however_old(self, kind: Kind, state: str) -> None:
        """It may have no job at the moment: between two batches, or with a quota for few a day."""
        self.made(kind, 400, state=state)
        assert prune() == {}


class TestWorkers:
    @pytest.mark.parametrize(
        ("state", "goes"),
        [("stopped", True), ("lost", True), ("running", False), ("starting", False), ("draining", False)],
    )
    def test_those_that_are_gone_go(self, state: str, goes: bool) -> None:
        for days in (8, 6):
            WorkerProcess.objects.create(
                name=f"{days}",
                host="h",
                pid=1,
                version="1",
                threads=1,
                state=state,
                last_heartbeat_at=long_ago(days * DAY),
            )
        assert prune() == ({"workers": 1} if goes else {})
        assert WorkerProcess.objects.filter(name="6").exists()


def test_answers_are_kept_as_long_as_they_are_given() -> None:
    for key, seconds in (("old", idempotency.KEEP + 60), ("young", idempotency.KEEP - 60)):
        IdempotentRequest.objects.create(caller="c", path="/p", key=key, content_hash="h", created_at=long_ago(seconds))
    assert prune() == {"idempotent_requests": 1}
    assert IdempotentRequest.objects.get().key == "young"


class TestBatches:
    def test_all_that_is_old_goes_a_small_batch_at_a_time(self, kind: Kind, monkeypatch) -> None:
        monkeypatch.setattr(pruners, "BATCH", 10)
        for number in range(25):
            put(kind, f"{number}", "succeeded", finished_at=long_ago((100 - number) * DAY))
        sizes = []
        delete = retention.delete_jobs

        def noted(age: float, limit: int) -> int:
            sizes.append(delete(age, limit))
            return sizes[-1]

        monkeypatch.setitem(pruners._pruners, "jobs", Pruner("jobs", lambda: 30, noted))
        assert prune() == {"jobs": 25}
        assert sizes == [10, 10, 5]

    def test_the_oldest_go_first(self, kind: Kind) -> None:
        for number in range(6):
            put(kind, f"{number}", "succeeded", finished_at=long_ago((100 - number) * DAY))
        assert retention.delete_jobs(30 * DAY, 4) == 4
        assert subjects() == {"4", "5"}

    @pytest.mark.parametrize(
        "delete",
        [
            retention.delete_dead_letters,
            retention.delete_jobs,
            retention.delete_runs,
            retention.delete_workers,
            retention.delete_idempotent_requests,
        ],
    )
    def test_no_batch_is_larger_than_asked_for(self, kind: Kind, delete: Callable[[float, int], int]) -> None:
        for number in range(5):
            name = str(number)
            put(kind, name, "succeeded", finished_at=long_ago(9000 * DAY))
            dead(kind, f"dead {name}")
            run = start_run(kind.name, total=1)
            Run.objects.filter(id=run.id).update(created_at=long_ago(9000 * DAY), state="completed")
            IdempotentRequest.objects.create(
                caller="c", path="/p", key=name, content_hash="h", created_at=long_ago(9000 * DAY)
            )
            WorkerProcess.objects.create(
                name=name, host="h", pid=1, version="1", threads=1, state="lost", last_heartbeat_at=long_ago(9000 * DAY)
            )
        settle(9000)
        assert [delete(DAY, 2), delete(DAY, 2), delete(DAY, 2), delete(DAY, 2)] == [2, 2, 1, 0]

    def test_a_batch_costs_the_same_statements_for_any_length(self, kind: Kind, django_assert_num_queries) -> None:
        for number in range(40):
            end(claimed(kind, f"{number}"), network_failure())
        JobExecution.objects.update(status="cancelled", finished_at=long_ago(90 * DAY))
        with django_assert_num_queries(6):
            assert retention.delete_jobs(30 * DAY, BATCH) == 40

    def test_a_round_ends_in_time_and_the_next_one_goes_on(self, kind: Kind, monkeypatch) -> None:
        monkeypatch.setattr(pruners, "BATCH", 1)
        for number in range(10):
            put(kind, f"{number}", "succeeded", finished_at=long_ago(90 * DAY))
        # Those of other apps would take their part of the time.
        monkeypatch.setattr(pruners, "_pruners", {"jobs": pruners._pruners["jobs"]})
        now = iter(range(0, 10_000, 20))
        assert 0 < prune(clock=lambda: next(now))["jobs"] < 10
        assert prune()["jobs"] > 0
        assert subjects() == set()


class TestPruners:
    @pytest.fixture(autouse=True)
    def _none_declared(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pruners, "_pruners", {})

    def test_names_are_unique(self) -> None:
        register(Pruner("a", lambda: 1, lambda age, limit: 0))
        with pytest.raises(ValueError, match="'a' is already declared"):
            register(Pruner("a", lambda: 1, lambda age, limit: 0))

    def test_each_is_told_the_age_in_seconds_and_the_size_of_a_batch(self) -> None:
        told: list[tuple[float, int]] = []

        def delete(age: float, limit: int) -> int:
            told.append((age, limit))
            return 0

        register(Pruner("a", lambda: 1.5, delete))
        assert prune() == {}
        assert told == [(129_600.0, BATCH)]

    def test_one_that_fails_keeps_no_other_from_its_turn_and_is_told(self) -> None:
        def fail(age: float, limit: int) -> int:
            with connection.cursor() as cursor:
                cursor.execute("DELETE FROM nowhere")
            return 0

        gone: list[str] = []

        def work(age: float, limit: int) -> int:
            gone.append("row")
            return 1

        register(Pruner("fails", lambda: 1, fail))
        register(Pruner("works", lambda: 1, work))
        with pytest.raises(Exception, match="nowhere"):
            prune()
        assert gone == ["row"]


class TestJob:
    def test_it_is_due_every_hour(self) -> None:
        assert {each.kind: each.schedule for each in periodic.declared()}[PRUNE] == Every(3600)

    def test_it_prunes_and_says_how_much(self, kind: Kind) -> None:
        put(kind, "old", "succeeded", finished_at=long_ago(31 * DAY))
        for result in ("1 rows", "nothing old"):
            job_id = enqueue(PRUNE, subject=periodic.SUBJECT).job_id
            assert run_lane(PRUNE)
            job = JobExecution.objects.get(id=job_id)
            assert (job.status, job.result) == ("succeeded", result)

    def test_where_nothing_else_happens_the_leader_makes_it_all_the_same(self, kind: Kind) -> None:
        put(kind, "old", "succeeded", finished_at=long_ago(31 * DAY))
        periodic.start_due()
        PeriodicTask.objects.filter(name=PRUNE).update(next_due_at=long_ago(1))
        assert PRUNE in periodic.start_due()
        assert run_lane(PRUNE)
        assert "old" not in subjects()


def test_what_is_left_is_sound(kind: Kind) -> None:
    for subject in "abcd":
        dead(kind, subject)
    retry(JobExecution.objects.get(subject="b").id, actor=OPERATOR)
    waiting(kind, "w")
    age(200, status="dead")
    settle(91, subject__in=["c", "d"])
    assert prune() == {"dead_letters": 2, "jobs": 2}
    assert [(verdict.invariant.name, verdict.finding) for verdict in audit() if not verdict.holds] == []


@pytest.mark.django_db(transaction=True)
class TestBesideOthers:
    def test_a_job_that_somebody_has_in_hand_is_left_for_later(
        self, kind: Kind, session: Callable[[], Session]
    ) -> None:
        put(kind, "held", "dead", finished_at=long_ago(90 * DAY))
        put(kind, "free", "dead", finished_at=long_ago(90 * DAY))
        other = session()
        other.begin()
        other.do(lambda: list(JobExecution.objects.select_for_update().filter(subject="held")))
        assert retention.delete_jobs(30 * DAY, 10) == 1
        assert subjects() == {"held"}
        other.commit()

    def test_a_retry_that_comes_while_it_is_deleted_finds_it_gone(self, kind: Kind, session) -> None:
        """It must not come back as a job without its history, or be told to wait and then be gone."""
        job = put(kind, "a", "dead", finished_at=long_ago(90 * DAY))
        deleter, person = session(), session()
        deleter.begin()
        assert deleter.do(retention.delete_jobs, 30 * DAY, 10) == 1
        asked = person.start(retry, job.id, actor=OPERATOR)
        until_blocked(asked)
        deleter.commit()
        with pytest.raises((StateConflict, JobExecution.DoesNotExist)):
            asked.result(20)
        assert JobExecution.objects.count() == 0

    def test_a_run_that_is_resumed_meanwhile_stays_with_its_jobs(self, kind: Kind, session) -> None:
        run = start_run(kind.name, total=1)
        Run.objects.filter(id=run.id).update(created_at=long_ago(400 * DAY), state="stopped")
        person = session()
        person.begin()
        person.do(lambda: Run.objects.filter(id=run.id).update(state="running"))
        assert retention.delete_runs(180 * DAY, 10) == 0
        person.do(lambda: enqueue_many(kind.name, ["a"], run=run))
        person.commit()
        assert retention.delete_runs(180 * DAY, 10) == 0
        assert subjects() == {"a"}
