"""Runs: fed bit by bit, counted exactly, stopped, resumed, and carried on by whoever comes next."""

import random
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db.models import F

from jobs import lifecycle
from jobs.actor import Actor
from jobs.batch import Batch
from jobs.enqueue import enqueue, enqueue_many
from jobs.errors import ErrorClass, InvalidInput, NetworkError, NotFound
from jobs.execute import run_lane
from jobs.kinds import Kind
from jobs.lifecycle import StateConflict
from jobs.models import JobExecution, Run
from jobs.retry import DEFAULT_POLICY, Rule
from jobs.runs import RunActive, attend, resume, start_fed_run, start_run, stop
from jobs.runs.progress import failures_by_class, last_errors, last_processed, progress_of
from tests.concurrency import at_once
from tests.jobs.support import MakeKind, expire, must_claim, statuses

from .conftest import Numbers, check_counts, finish

pytestmark = pytest.mark.django_db(transaction=True)

Begin = Callable[..., Run]


class TestFeeding:
    """A run never has more jobs waiting than its workers need."""

    def test_only_as_much_waits_as_the_workers_need(self, begin: Begin, fed: Kind, numbers: Numbers) -> None:
        numbers.subjects = [f"{number:05}" for number in range(1000)]
        run = begin()
        most = 0
        while run_lane(fed.name):
            most = max(most, statuses(fed).get("queued", 0))
        assert most == attend.AHEAD * fed.batch_size * fed.concurrency
        attend.attend_all()
        check_counts(run)
        assert (run.state, run.total, run.made) == ("completed", 1000, 1000)

    def test_every_subject_is_worked_on_once_and_in_order(self, begin: Begin, fed: Kind, handled: list[str]) -> None:
        begin()
        finish(fed)
        assert handled == [f"{number:05}" for number in range(100)]

    def test_workers_feed_the_run_by_themselves(self, begin: Begin, fed: Kind) -> None:
        run = begin()
        while run_lane(fed.name):
            pass
        assert progress_of(run).processed == 100

    def test_a_delay_feeds_one_batch_at_a_time(self, begin: Begin, fed: Kind) -> None:
        run = begin(batch_size=7, delay=60)
        for _ in range(3):
            attend.attend_all()
        assert statuses(fed) == {"queued": 7}
        Run.objects.filter(id=run.id).update(next_feed_at=F("created_at"))
        attend.attend_all()
        assert statuses(fed) == {"queued": 14}

    def test_it_can_begin_after_a_subject(self, begin: Begin, fed: Kind, handled: list[str]) -> None:
        begin(resume_from="00097")
        finish(fed)
        assert handled == ["00098", "00099"]

    def test_a_limit_is_kept(self, begin: Begin, fed: Kind, handled: list[str]) -> None:
        run = begin(limit=55)
        finish(fed)
        run.refresh_from_db()
        assert (len(handled), run.total, run.state) == (55, 55, "completed")

    def test_two_feeders_at_once_feed_nothing_twice(self, fed: Kind, numbers: Numbers) -> None:
        run = start_fed_run(fed.name, {})
        at_once(*[partial(attend.feed, run.id)] * 4)
        fed_subjects = [each for page in numbers.pages for each in page]
        assert len(fed_subjects) == len(set(fed_subjects))
        run.refresh_from_db()
        assert run.made == JobExecution.objects.count() == len(fed_subjects)

    def test_a_feed_that_breaks_fails_the_run_and_it_can_be_resumed(
        self, begin: Begin, fed: Kind, numbers: Numbers
    ) -> None:
        numbers.error = LookupError("no such column, key=AIzaSyA123456789012345678901234567890")
        run = begin()
        run.refresh_from_db()
        assert (run.state, run.finished_at is not None) == ("failed", True)
        assert "no such column" in run.error
        assert "AIza" not in run.error
        numbers.error = None
        resume(run.id)
        finish(fed)
        run.refresh_from_db()
        assert (run.state, run.error, progress_of(run).processed) == ("completed", "", 100)

    def test_subjects_that_come_and_go_meanwhile_leave_the_counts_exact(
        self, begin: Begin, fed: Kind, numbers: Numbers
    ) -> None:
        run = begin()
        run_lane(fed.name)
        numbers.subjects.append("00098-new")
        numbers.subjects.remove("00097")
        lifecycle.cancel_waiting(["00015"], reason="subject deleted")
        finish(fed)
        check_counts(run)
        progress = progress_of(run)
        assert (run.state, run.total, progress.processed, progress.cancelled) == ("completed", 100, 100, 1)

    def test_jobs_that_wait_for_another_run_are_skipped_and_others_adopted(self, begin: Begin, fed: Kind) -> None:
        other = start_run(fed.name, total=1)
        enqueue_many(fed.name, ["00003"], run=other)
        enqueue(fed.name, subject="00004")
        run = begin()
        finish(fed)
        check_counts(run)
        check_counts(other)
        assert (run.made, run.skipped, progress_of(run).processed) == (99, 1, 100)
        assert (run.state, other.state) == ("completed", "completed")

    def test_an_empty_run_is_complete(self, begin: Begin, numbers: Numbers) -> None:
        numbers.subjects.clear()
        run = begin()
        run.refresh_from_db()
        assert (run.state, progress_of(run).percentage) == ("completed", 100.0)


class TestOneAtATime:
    """A kind has one fed run under way."""

    def test_a_second_one_is_refused_and_told_of_the_first(self, begin: Begin, fed: Kind) -> None:
        run = begin()
        with pytest.raises(RunActive) as refused:
            start_fed_run(fed.name, {})
        assert refused.value.run == run

    def test_of_four_started_at_once_one_runs(self, fed: Kind) -> None:
        made = at_once(*[partial(start_fed_run, fed.name, {})] * 4)
        assert sorted(type(each).__name__ for each in made) == ["Run", "RunActive", "RunActive", "RunActive"]

    def test_after_its_end_there_may_be_another(self, begin: Begin, fed: Kind) -> None:
        begin()
        finish(fed)
        begin()

    def test_bulk_requests_are_no_obstacle(self, begin: Begin, fed: Kind) -> None:
        start_run(fed.name, total=0)
        begin()
        start_run(fed.name, total=0)


class TestStopping:
    """Stop takes effect at once, and resuming does the rest exactly once."""

    def test_what_waits_is_called_off_and_what_runs_comes_to_its_end(self, begin: Begin, fed: Kind) -> None:
        run = begin()
        batch = must_claim(fed)
        stopped = stop(run.id)
        assert (stopped.state, statuses(fed)) == ("stopping", {"running": 10, "cancelled": 30})
        attend.attend_all()
        assert statuses(fed) == {"running": 10, "cancelled": 30}, "nothing more is fed"
        lifecycle.finish(batch, {job.id: "done" for job in batch.jobs}, steps=[])
        attend.attend_all()
        check_counts(run)
        assert run.state == "stopped"
        assert run.finished_at is not None
        assert progress_of(run).percentage < 100

    def test_an_idle_run_is_stopped_at_once(self, begin: Begin) -> None:
        assert stop(begin().id).state == "stopped"

    @pytest.mark.parametrize("seed", range(8))
    def test_stopped_and_resumed_anywhere_each_subject_is_worked_on_once(
        self, begin: Begin, fed: Kind, handled: list[str], seed: int
    ) -> None:
        rng = random.Random(seed)
        run = begin()
        for _ in range(rng.randrange(1, 4)):
            for _ in range(rng.randrange(0, 4)):
                run_lane(fed.name)
            stop(run.id)
            attend.attend_all()
            resume(run.id)
        finish(fed)
        assert sorted(handled) == [f"{number:05}" for number in range(100)]
        check_counts(run)
        assert (run.state, run.total, progress_of(run).processed) == ("completed", 100, 100)

    def test_a_bulk_request_is_stopped_and_resumed_too(self, fed: Kind, handled: list[str]) -> None:
        run = start_run(fed.name, total=3)
        enqueue_many(fed.name, ["a", "b", "c"], run=run)
        stop(run.id)
        assert not run_lane(fed.name)
        resume(run.id)
        finish(fed)
        check_counts(run)
        assert (sorted(handled), run.state) == (["a", "b", "c"], "completed")

    def test_only_what_runs_can_be_stopped_and_only_what_was_stopped_resumed(self, begin: Begin, fed: Kind) -> None:
        run = begin()
        with pytest.raises(StateConflict, match="running"):
            resume(run.id)
        stop(run.id)
        with pytest.raises(StateConflict, match="stopped"):
            stop(run.id)
        resume(run.id)
        finish(fed)
        with pytest.raises(StateConflict, match="completed"):
            stop(run.id)

    def test_a_stopped_run_is_not_resumed_beside_another(self, begin: Begin) -> None:
        first = begin()
        stop(first.id)
        second = begin()
        with pytest.raises(RunActive) as refused:
            resume(first.id)
        assert refused.value.run == second
        first.refresh_from_db()
        assert first.state == "stopped"

    def test_the_time_in_which_it_was_stopped_does_not_count(self, begin: Begin) -> None:
        run = begin()
        Run.objects.filter(id=run.id).update(resumed_at=F("resumed_at") - _seconds(100))
        stop(run.id)
        Run.objects.filter(id=run.id).update(finished_at=F("finished_at") - _seconds(5000))
        run = resume(run.id)
        assert 100 <= progress_of(run).elapsed_seconds < 200


def _seconds(number: int) -> Any:
    from datetime import timedelta

    return timedelta(seconds=number)


class TestCounts:
    """Counts are those of the rows, whatever becomes of a job."""

    def test_every_way_to_end_is_counted(self, make_kind: MakeKind, numbers: Numbers) -> None:
        def handle(batch: Batch) -> None:
            for job in batch.jobs:
                number = int(job.subject)
                if number % 5 == 0:
                    batch.fail(job, InvalidInput("bad"))
                elif number % 5 == 1 and job.attempt == 1:
                    batch.fail(job, NetworkError("away"))
                else:
                    batch.succeed(job, "embedded" if number % 5 == 2 else "unchanged")

        later = {**DEFAULT_POLICY, ErrorClass.NETWORK: Rule(retried=True, delay=3600.0)}
        kind = make_kind(handle, feed=numbers, batch_size=10, concurrency=1, linger=0.0, retry=later)
        run = start_fed_run(kind.name, {})
        attend.attend_all()
        finish(kind)
        check_counts(run)
        progress = progress_of(run)
        assert (progress.failed, progress.processed, run.state) == (20, 80, "running")
        JobExecution.objects.filter(status="retrying").update(next_attempt_at=F("created_at"))
        finish(kind)
        check_counts(run)
        progress = progress_of(run)
        assert (progress.succeeded, progress.failed, progress.percentage, run.state) == (80, 20, 100.0, "completed")
        assert progress.results == {"embedded": 20, "unchanged": 60}
        [failure] = failures_by_class(run)
        assert (failure["error_class"], failure["count"], failure["last_error"]) == ("invalid_input", 20, "bad")
        assert len(last_errors(run)) == 20

    def test_a_retried_dead_letter_is_taken_out_of_the_failures(self, make_kind: MakeKind, numbers: Numbers) -> None:
        errors = [InvalidInput("bad")]

        def handle(batch: Batch) -> None:
            for error in errors:
                raise error

        kind = make_kind(handle, feed=numbers, batch_size=10, concurrency=1, linger=0.0)
        run = start_fed_run(kind.name, {"limit": 10})
        attend.attend_all()
        finish(kind)
        check_counts(run)
        assert progress_of(run).failed == 10
        errors.clear()
        ids = list(JobExecution.objects.values_list("id", flat=True))
        lifecycle.retry_many(ids[:4], actor=Actor("bold", "dlq-retry"))
        check_counts(run)
        assert progress_of(run).failed == 6
        finish(kind)
        check_counts(run)
        assert (progress_of(run).succeeded, progress_of(run).failed) == (4, 6)

    def test_a_cancelled_and_a_poisoned_job_are_counted(self, begin: Begin, fed: Kind) -> None:
        run = begin(limit=10)
        lifecycle.cancel(JobExecution.objects.get(subject="00000").id, by="bold")
        batch = must_claim(fed)
        JobExecution.objects.filter(id=batch.jobs[0].id).update(deliveries=5)
        expire(batch)
        lifecycle.take_back_expired()
        check_counts(run)
        assert (progress_of(run).cancelled, progress_of(run).failed) == (1, 1)
        finish(fed)
        check_counts(run)
        assert run.state == "completed"

    def test_batches_that_end_at_once_count_each_job_once(self, make_kind: MakeKind, numbers: Numbers) -> None:
        kind = make_kind(feed=numbers, batch_size=10, concurrency=10, linger=0.0)
        run = start_fed_run(kind.name, {})
        attend.attend_all()
        batches = [must_claim(kind) for _ in range(8)]
        ends = [partial(lifecycle.finish, batch, {job.id: "done" for job in batch.jobs}, steps=[]) for batch in batches]
        assert at_once(*ends) == [{"succeeded": 10}] * 8
        check_counts(run)
        assert progress_of(run).succeeded == 80

    def test_reading_takes_the_same_queries_for_any_size(
        self, begin: Begin, fed: Kind, django_assert_num_queries: Any
    ) -> None:
        run = begin()
        finish(fed)
        run.refresh_from_db()
        with django_assert_num_queries(2):
            progress_of(run)

    def test_the_last_errors_are_the_newest_attempts_and_the_failures_are_told_by_class(
        self, make_kind: MakeKind, numbers: Numbers
    ) -> None:
        def handle(batch: Batch) -> None:
            for job in batch.jobs:
                odd = int(job.subject) % 2
                batch.fail(job, InvalidInput(f"bad {job.subject}") if odd else NotFound(f"gone {job.subject}"))

        kind = make_kind(handle, feed=numbers, batch_size=10, concurrency=1, linger=0.0)
        numbers.subjects = [f"{number:05}" for number in range(130)]
        run = start_fed_run(kind.name, {})
        attend.attend_all()
        finish(kind)
        check_counts(run)
        errors = last_errors(run)
        assert [each["subject"] for each in errors[:10]] == [f"{number:05}" for number in range(129, 119, -1)]
        assert len(errors) == 100
        failures = {each["error_class"]: (each["count"], each["last_error"][:3]) for each in failures_by_class(run)}
        assert failures == {"invalid_input": (65, "bad"), "not_found": (65, "gon")}

    def test_the_last_processed_subject_has_nothing_open_before_it(self, begin: Begin, fed: Kind) -> None:
        run = begin()
        assert last_processed(run) is None
        first, second = must_claim(fed), None
        lifecycle.finish(first, {job.id: "done" for job in first.jobs[:5]}, steps=[])
        assert last_processed(run) == "00004"
        assert second is None
        lifecycle.finish(first, {job.id: "done" for job in first.jobs[5:]}, steps=[])
        finish(fed)
        assert last_processed(run) == "00099"
