"""One turn of a lane: whatever a handler does, every job of the batch comes to an end of its own."""

import pytest
from django.db import connection, connections, transaction
from dramatiq.middleware import TimeLimitExceeded

from jobs import execute
from jobs.batch import Batch
from jobs.budget import Budget
from jobs.enqueue import enqueue, enqueue_many
from jobs.errors import AuthError, BatchRejected, InvalidInput, NotFound, ServerError
from jobs.execute import run_lane, work_off
from jobs.lifecycle import take_back_expired
from jobs.models import Attempt, DeadLetter, JobExecution, Lease
from jobs.process.work import work

from .support import MakeKind, claimed, expire, long_ago, run_until_idle, sender, statuses, waiting

pytestmark = pytest.mark.django_db(transaction=True)
KEY = "AIza" + "Sy0" * 12


@pytest.fixture
def lane(make_kind: MakeKind):
    """Declare a kind with a handler, make its jobs, and let its lane take one turn."""

    def turn(handler, *subjects: str, **options):
        kind = make_kind(handler, **{"batch_size": 10, "linger": 0.0, **options})
        waiting(kind, *subjects)
        assert run_lane(kind.name)
        assert not Lease.objects.exists()
        return {job.subject: job for job in JobExecution.objects.filter(kind=kind.name)}

    return turn


def test_a_handler_gets_its_jobs_most_urgent_first_and_says_how_each_ended(make_kind: MakeKind) -> None:
    seen: list[list[str]] = []

    def greet(batch: Batch) -> None:
        seen.append([job.subject for job in batch.jobs])
        batch.succeed(batch.jobs[0], "greeted")
        batch.fail(batch.jobs[1], NotFound("moved away"))

    kind = make_kind(greet, batch_size=3, linger=0.0)
    for subject, priority in [("c", "low"), ("b", "normal"), ("a", "high")]:
        enqueue(kind.name, subject=subject, priority=priority)
    assert run_lane(kind.name)
    jobs = {job.subject: job for job in JobExecution.objects.all()}
    assert seen == [["a", "b", "c"]]
    assert [(jobs[s].status, jobs[s].result) for s in "abc"] == [
        ("succeeded", "greeted"),
        ("dead", ""),
        ("succeeded", "done"),
    ]


def test_a_lane_with_nothing_due_does_not_call_the_handler(make_kind: MakeKind) -> None:
    kind = make_kind(lambda batch: pytest.fail("called"))
    assert run_lane(kind.name) is False


def test_a_handler_runs_outside_any_transaction(lane) -> None:
    jobs = lane(lambda batch: batch.succeed(batch.jobs[0], str(connection.in_atomic_block)), "a")
    assert jobs["a"].result == "False"


class TestErrors:
    """What escapes from a handler."""

    def test_a_known_failure_fails_every_job_without_an_outcome(self, lane) -> None:
        def handle(batch: Batch) -> None:
            batch.succeed(batch.jobs[0], "unchanged")
            raise AuthError("API key not valid", status_code=400)

        jobs = lane(handle, "a", "b", "c")
        assert [jobs[s].status for s in "abc"] == ["succeeded", "dead", "dead"]
        assert {letter.error_class for letter in DeadLetter.objects.all()} == {"auth"}
        assert {letter.error_details["stack"] for letter in DeadLetter.objects.all()} == {""}

    def test_a_defect_is_a_server_failure_with_its_traceback_and_is_retried(self, lane) -> None:
        jobs = lane(lambda batch: {"there": 1}["missing"], "a")
        assert (jobs["a"].status, jobs["a"].error_class, jobs["a"].error) == (
            "retrying",
            "server",
            "KeyError: 'missing'",
        )

    def test_the_dead_letter_of_a_defect_holds_its_traceback_without_secrets(
        self, make_kind, lane, capfd, caplog
    ) -> None:
        def handle(batch: Batch) -> None:
            raise ValueError(f"bad url https://host/?key={KEY}")

        jobs = lane(handle, "a", max_retries=0)
        letter = DeadLetter.objects.get()
        assert (letter.error_class, jobs["a"].status) == ("server", "dead")
        assert "ValueError" in letter.error_details["stack"]
        assert "test_execute.py" in letter.error_details["stack"]
        rows = [*DeadLetter.objects.values(), *Attempt.objects.values(), *JobExecution.objects.values()]
        assert KEY not in str(rows)
        assert KEY not in capfd.readouterr().err
        assert "ValueError" in caplog.text

    @pytest.mark.parametrize("error", [AuthError, BatchRejected, ServerError])
    def test_no_class_of_failure_stores_a_secret(self, lane, error) -> None:
        def handle(batch: Batch) -> None:
            raise error(f"refused: key={KEY} \x00")

        lane(handle, "a", max_retries=0)
        rows = [*DeadLetter.objects.values(), *Attempt.objects.values(), *JobExecution.objects.values()]
        assert len(rows) == 3
        assert KEY not in str(rows)

    def test_a_failure_told_of_one_job_stores_no_secret_and_fails_no_neighbour(self, lane, capfd) -> None:
        def handle(batch: Batch) -> None:
            batch.fail(batch.jobs[0], InvalidInput(f"refused: key={KEY} \x00\ud800"))

        jobs = lane(handle, "a", "b")
        assert [jobs[s].status for s in "ab"] == ["dead", "succeeded"]
        assert KEY not in str([*DeadLetter.objects.values(), *Attempt.objects.values(), *JobExecution.objects.values()])
        assert KEY not in capfd.readouterr().err

    def test_the_time_limit_ends_the_attempt_as_a_failure_that_is_retried(self, lane) -> None:
        def handle(batch: Batch) -> None:
            batch.succeed(batch.jobs[0], "in time")
            raise TimeLimitExceeded

        jobs = lane(handle, "a", "b")
        assert [jobs[s].status for s in "ab"] == ["succeeded", "retrying"]
        assert jobs["b"].error_class == "network"

    def test_an_error_of_the_database_in_a_handler_does_not_break_the_end(self, lane) -> None:
        def handle(batch: Batch) -> None:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT 1 / 0")

        assert lane(handle, "a")["a"].status == "retrying"

    @pytest.mark.parametrize("result", ["", "ү" * 64, "x" * 65, "x" * 1000, "half\x00"])
    def test_any_result_that_a_handler_names_ends_the_job(self, lane, result) -> None:
        jobs = lane(lambda batch: batch.succeed(batch.jobs[0], result), "a", "b")
        assert [jobs[s].status for s in "ab"] == ["succeeded", "succeeded"]


class TestRejectedBatches:
    """One bad text among many: the batch comes back in halves until it stands alone."""

    @pytest.fixture
    def rest(self, make_kind: MakeKind):
        """Declare a kind with a handler, make its jobs, and let its lane take turns until nothing is due."""

        def turns(handler, *subjects: str, **options):
            kind = make_kind(handler, **{"batch_size": 10, "linger": 0.0, **options})
            waiting(kind, *subjects)
            run_until_idle(kind)
            assert not Lease.objects.exists()
            return {job.subject: job for job in JobExecution.objects.filter(kind=kind.name)}

        return turns

    @pytest.mark.parametrize("bad", [{"s0"}, {"s4"}, {"s9"}, {"s2", "s7"}, {f"s{n}" for n in range(10)}])
    def test_only_the_bad_ones_die(self, rest, bad) -> None:
        calls: list[int] = []

        def handle(batch: Batch) -> None:
            calls.append(len(batch.jobs))
            if bad & {job.subject for job in batch.jobs}:
                raise BatchRejected("invalid argument", status_code=400)

        subjects = [f"s{n}" for n in range(10)]
        jobs = rest(handle, *subjects)
        assert {s for s in subjects if jobs[s].status == "dead"} == bad
        assert {s for s in subjects if jobs[s].status == "succeeded"} == set(subjects) - bad
        assert {(letter.subject, letter.error_class, letter.attempts) for letter in DeadLetter.objects.all()} == {
            (subject, "invalid_input", 1) for subject in bad
        }
        assert len(calls) <= 2 * 10 - 1
        assert max(calls[1:]) <= 5

    def test_a_rejected_batch_waits_again_at_once_in_halves_and_costs_no_attempt(self, lane) -> None:
        def handle(batch: Batch) -> None:
            raise BatchRejected("no", status_code=400)

        jobs = lane(handle, *"abcde")
        for job in jobs.values():
            assert (job.status, job.split_size, job.attempt, job.deliveries) == ("queued", 3, 1, 0)
        assert not Attempt.objects.exists()
        assert not DeadLetter.objects.exists()

    def test_a_rejected_batch_wakes_a_worker_for_its_parts(self, make_kind: MakeKind) -> None:
        def handle(batch: Batch) -> None:
            sender().client.delete(f"dramatiq:{batch.kind.name}")
            raise BatchRejected("no", status_code=400)

        kind = make_kind(handle, batch_size=10, linger=0.0)
        waiting(kind, "a", "b")
        run_lane(kind.name)
        assert sender().waiting_messages(kind.name) == 1

    def test_parts_are_never_claimed_together_with_other_jobs(self, make_kind: MakeKind) -> None:
        calls: list[list[str]] = []

        def handle(batch: Batch) -> None:
            calls.append([job.subject for job in batch.jobs])
            if len(calls) == 1:
                waiting(batch.kind, "new1", "new2")
            if "bad" in calls[-1]:
                raise BatchRejected("no", status_code=400)

        kind = make_kind(handle, batch_size=10, linger=0.0)
        waiting(kind, "a", "bad", "b", "c")
        run_until_idle(kind)
        assert ["new1", "new2"] in calls
        assert statuses(kind) == {"succeeded": 5, "dead": 1}

    def test_a_job_that_once_was_part_of_a_rejected_batch_is_not_apart_for_ever(self, rest) -> None:
        jobs = rest(lambda batch: (_ for _ in ()).throw(BatchRejected("no")) if len(batch.jobs) > 1 else None, *"abc")
        assert {(job.status, job.split_size) for job in jobs.values()} == {("succeeded", 0)}

    def test_a_job_with_an_outcome_has_no_part_in_the_rejection(self, lane) -> None:
        def handle(batch: Batch) -> None:
            batch.succeed(batch.jobs[0], "unchanged")
            raise BatchRejected("no", status_code=413)

        jobs = lane(handle, "a", "b")
        assert [(jobs[s].status, jobs[s].result, jobs[s].error_class) for s in "ab"] == [
            ("succeeded", "unchanged", ""),
            ("dead", "", "invalid_input"),
        ]

    def test_each_job_is_stored_by_the_one_part_that_ended_it(self, rest) -> None:
        stored: list[list[str]] = []

        def handle(batch: Batch) -> None:
            subjects = [job.subject for job in batch.jobs]

            def write(held):
                stored.append(sorted(job.subject for job in batch.jobs if batch.outcomes[job.id] == "done"))
                return {}

            batch.before_finish(write)
            if "bad" in subjects:
                raise BatchRejected("no")

        jobs = rest(handle, "a", "b", "c", "bad")
        assert [jobs[s].status for s in ("a", "b", "c", "bad")] == ["succeeded"] * 3 + ["dead"]
        assert [part for part in stored if part] == [["a", "b"], ["c"]]

    def test_a_failure_of_one_half_is_not_one_of_the_other(self, rest) -> None:
        def handle(batch: Batch) -> None:
            if len(batch.jobs) == 4:
                raise BatchRejected("no")
            if batch.jobs[0].subject == "a":
                raise ServerError("busy", status_code=503)

        jobs = rest(handle, "a", "b", "c", "d")
        assert [jobs[s].status for s in "abcd"] == ["retrying", "retrying", "succeeded", "succeeded"]


class TestStoring:
    """The end of a batch."""

    def test_results_are_stored_with_the_end_or_not_at_all(self, make_kind: MakeKind) -> None:
        def handle(batch: Batch) -> None:
            def write(held):
                enqueue_many(other.name, [job.subject for job in batch.jobs if job.id in held])
                raise RuntimeError("disk full")

            batch.before_finish(write)

        other, kind = make_kind(), make_kind(handle, batch_size=5)
        waiting(kind, "a", "b")
        with pytest.raises(RuntimeError):
            run_lane(kind.name)
        assert statuses(kind) == {"running": 2}
        assert statuses(other) == {}

    def test_a_result_survives_a_restart_of_the_database(
        self, make_kind: MakeKind, session, cut_connections, monkeypatch
    ) -> None:
        """All connections that idle in the pool are dead then, and there may be more of them than tries."""
        monkeypatch.setattr(execute, "_STORE_RETRY_DELAYS", (0.0, 0.0, 0.0, 0.0))
        others = [session() for _ in range(8)]
        for each in others:
            each.do(JobExecution.objects.exists)
        for each in others:
            each.do(connections.close_all)
        calls: list[int] = []

        def handle(batch: Batch) -> None:
            calls.append(1)
            cut_connections()

        kind = make_kind(handle, batch_size=5)
        batch = claimed(kind, "a", "b")
        work_off(batch, Budget(None, None))
        assert statuses(kind) == {"succeeded": 2}
        assert calls == [1]

    def test_a_worker_whose_lease_ran_out_meanwhile_stores_nothing(self, make_kind: MakeKind) -> None:
        def handle(batch: Batch) -> None:
            batch.before_finish(lambda held: pytest.fail("stored"))
            expire(claim)
            take_back_expired()

        kind = make_kind(handle, batch_size=5)
        claim = claimed(kind, "a")
        work_off(claim, Budget(None, None))
        assert statuses(kind) == {"queued": 1}

    def test_the_tally_counts_what_this_process_brought_to_an_end(self, lane) -> None:
        before = (work.processed, work.failed)
        lane(lambda batch: batch.fail(batch.jobs[0], NotFound("x")), "a", "b", "c")
        assert (work.processed - before[0], work.failed - before[1]) == (3, 1)

    def test_the_tally_counts_a_job_of_a_rejected_batch_once(self, make_kind: MakeKind) -> None:
        def handle(batch: Batch) -> None:
            if any(job.subject == "bad" for job in batch.jobs):
                raise BatchRejected("no", status_code=400)

        before = (work.processed, work.failed)
        kind = make_kind(handle, batch_size=10, linger=0.0)
        waiting(kind, "a", "b", "bad", "c", "d")
        run_until_idle(kind)
        assert statuses(kind) == {"succeeded": 4, "dead": 1}
        assert (work.processed - before[0], work.failed - before[1]) == (5, 1)

    def test_the_tally_leaves_out_what_somebody_else_has_taken_over(self, make_kind: MakeKind) -> None:
        def lose(batch: Batch) -> None:
            expire(claim)
            take_back_expired()

        before = (work.processed, work.failed)
        claim = claimed(make_kind(lose), "a")
        work_off(claim, Budget(None, None))
        assert (work.processed, work.failed) == before

    def test_the_steps_of_an_attempt_are_kept(self, lane) -> None:
        def handle(batch: Batch) -> None:
            batch.step(30)
            batch.step(50, publish=True)
            published.append(Lease.objects.values_list("progress", flat=True).get())
            batch.step(80)

        published: list[int] = []
        jobs = lane(handle, "a")
        assert [step["progress"] for step in jobs["a"].steps] == [10, 30, 50, 80, 100]
        assert published == [50]
        times = [step["at"] for step in jobs["a"].steps]
        assert len(set(times)) > 1

    def test_a_failed_attempt_does_not_say_that_something_was_stored(self, lane) -> None:
        def handle(batch: Batch) -> None:
            batch.step(50)
            raise ServerError("busy")

        assert [step["progress"] for step in lane(handle, "a")["a"].steps] == [10, 50]


class TestWakeUps:
    """More due: one more wake-up. Nothing left: none."""

    def test_a_full_batch_wakes_another_worker_before_it_is_worked_off(self, make_kind: MakeKind) -> None:
        heard: list[int] = []
        kind = make_kind(lambda batch: heard.append(sender().waiting_messages(batch.kind.name)), batch_size=2)
        enqueue_many(kind.name, ["a", "b", "c"])
        sender().client.delete(f"dramatiq:{kind.name}")
        run_lane(kind.name)
        assert heard == [1]

    def test_nothing_left_sends_none(self, make_kind: MakeKind) -> None:
        kind = make_kind(batch_size=5)
        waiting(kind, "a", "b")
        sender().client.delete(f"dramatiq:{kind.name}")
        run_lane(kind.name)
        assert sender().waiting_messages(kind.name) == 0

    def test_what_became_due_meanwhile_sends_one(self, make_kind: MakeKind) -> None:
        def handle(batch: Batch) -> None:
            JobExecution.objects.filter(subject="later").update(next_attempt_at=long_ago())

        kind = make_kind(handle, batch_size=5)
        waiting(kind, "a")
        waiting(kind, "later", next_attempt_at="2999-01-01T00:00:00Z")
        sender().client.delete(f"dramatiq:{kind.name}")
        run_lane(kind.name)
        assert sender().waiting_messages(kind.name) == 1
