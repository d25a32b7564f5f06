"""How an attempt ends, alone: outcomes, retries, dead letters."""

from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jobs.enqueue import enqueue
from jobs.errors import AuthError, BadResponse, InvalidInput, NetworkError, NotFound, RateLimited, ServerError
from jobs.kinds import Kind
from jobs.lifecycle import Claim, Failure
from jobs.models import Attempt, DeadLetter, JobExecution, Lease
from jobs.retry import DEFAULT_POLICY, Rule

from .support import MakeKind, claimed, end, job_of, make_due, must_claim, network_failure, statuses

pytestmark = pytest.mark.django_db

STEPS = [{"progress": 10, "at": "2026-01-01T00:00:00+00:00"}, {"progress": 100, "at": "2026-01-01T00:00:01+00:00"}]


def test_each_job_gets_its_own_outcome(kind: Kind) -> None:
    batch = claimed(kind, "a", "b", "c", "d")
    a, b, c, d = (job.id for job in batch.jobs)
    counts = end(
        batch,
        {a: "embedded", b: Failure(network_failure()), c: Failure(NotFound("gone")), d: "unchanged"},
        steps=STEPS,
    )
    assert counts == {"succeeded": 2, "retrying": 1, "dead": 1}
    by_id = JobExecution.objects.in_bulk()
    assert [by_id[each].status for each in (a, b, c, d)] == ["succeeded", "retrying", "dead", "succeeded"]
    assert [by_id[each].result for each in (a, b, c, d)] == ["embedded", "", "", "unchanged"]
    assert [by_id[each].error_class for each in (a, b, c, d)] == ["", "network", "not_found", ""]
    assert all(job.lease_id is None and job.deliveries == 0 for job in by_id.values())
    assert [by_id[each].steps for each in (a, b, c, d)] == [STEPS, STEPS[:1], STEPS[:1], STEPS]
    assert [bool(by_id[each].finished_at) for each in (a, b, c, d)] == [True, False, True, True]
    assert not Lease.objects.exists()


def test_the_number_of_statements_does_not_grow_with_the_batch(make_kind: MakeKind) -> None:
    def statements(size: int) -> int:
        kind = make_kind(batch_size=size, linger=0.0)
        batch = claimed(kind, *[str(n) for n in range(size)])
        errors = [None, network_failure(), NotFound("gone")]
        ends = {job.id: Failure(error) if (error := errors[n % 3]) else "done" for n, job in enumerate(batch.jobs)}
        with CaptureQueriesContext(connection) as queries:
            end(batch, ends)
        return len(queries)

    assert statements(3) == statements(60)


def test_success_forgets_the_error_of_earlier_attempts_but_keeps_their_rows(kind: Kind) -> None:
    end(claimed(kind, "a"), network_failure())
    make_due(*JobExecution.objects.all())
    batch = must_claim(kind)
    assert batch.jobs[0].attempt == 2
    end(batch)
    job = job_of(batch)
    assert (job.status, job.error_class, job.error, job.attempt) == ("succeeded", "", "", 2)
    assert [attempt.number for attempt in job.attempts.all()] == [1]


def test_a_job_without_an_outcome_stays_under_the_lease(kind: Kind) -> None:
    batch = claimed(kind, "a", "b")
    assert end(batch, {batch.jobs[0].id: "done"}) == {"succeeded": 1}
    assert job_of(batch, 1).status == "running"
    assert Lease.objects.filter(id=batch.lease_id).exists()
    assert end(batch, {batch.jobs[1].id: "done"}) == {"succeeded": 1}
    assert not Lease.objects.exists()


def test_no_outcomes_at_all_change_nothing(kind: Kind) -> None:
    batch = claimed(kind, "a")
    assert end(batch, {}) == {}
    assert job_of(batch).status == "running"


class TestRetries:
    """What the retry table makes of a failure."""

    def test_a_failure_leaves_an_attempt_and_a_later_try(self, kind: Kind) -> None:
        batch = claimed(kind, "a", worker="host:7-x")
        end(batch, ServerError("upstream failed", status_code=503))
        job, attempt = job_of(batch), Attempt.objects.get()
        assert (job.status, job.attempt, job.error_class, job.error) == ("retrying", 2, "server", "upstream failed")
        assert (attempt.job_id, attempt.number, attempt.error_class, attempt.error, attempt.status_code) == (
            job.id,
            1,
            "server",
            "upstream failed",
            503,
        )
        assert (attempt.worker, attempt.started_at) == ("host:7-x", job.started_at)
        assert attempt.started_at <= attempt.finished_at
        assert (job.next_attempt_at - attempt.finished_at).total_seconds() >= 1.0
        assert not DeadLetter.objects.exists()

    def test_three_retries_then_a_dead_letter(self, kind: Kind) -> None:
        batch = claimed(kind, "a")
        delays = []
        for number in (1, 2, 3, 4):
            assert batch.jobs[0].attempt == number
            end(batch, network_failure())
            job = job_of(batch)
            delays.append((job.next_attempt_at - job.attempts.latest("id").finished_at).total_seconds())
            make_due(job)
            if number < 4:
                batch = must_claim(kind)
        assert (job.status, job.attempt) == ("dead", 4)
        assert [attempt.number for attempt in job.attempts.all()] == [1, 2, 3, 4]
        assert [least <= delay for least, delay in zip((1, 2, 4), delays, strict=False)] == [True] * 3
        assert DeadLetter.objects.get().attempts == 4

    @pytest.mark.parametrize("retries", [0, 1, 5])
    def test_a_job_has_as_many_retries_as_it_was_made_with(self, kind: Kind, retries) -> None:
        enqueue(kind.name, subject="a", max_retries=retries)
        tries = 0
        while (job := JobExecution.objects.get()).status != "dead":
            make_due(job)
            end(must_claim(kind), network_failure())
            tries += 1
        assert tries == retries + 1

    def test_rate_limits_are_counted_apart_and_have_five_retries(self, kind: Kind) -> None:
        batch = claimed(kind, "a")
        for met in range(1, 6):
            end(batch, RateLimited("slow down"))
            job = job_of(batch)
            assert (job.status, job.attempt, job.rate_limits) == ("retrying", 1, met)
            assert (job.next_attempt_at - job.attempts.latest("id").finished_at).total_seconds() >= 60
            make_due(job)
            batch = must_claim(kind)
        end(batch, RateLimited("slow down"))
        job = job_of(batch)
        assert (job.status, job.attempt, job.rate_limits) == ("dead", 1, 6)
        assert DeadLetter.objects.get().error_class == "rate_limited"

    def test_rate_limits_do_not_use_up_the_retries_of_other_failures(self, kind: Kind) -> None:
        batch = claimed(kind, "a")
        for error in [RateLimited("x"), network_failure(), RateLimited("x"), network_failure(), network_failure()]:
            end(batch, error)
            make_due(job_of(batch))
            batch = must_claim(kind)
        assert (batch.jobs[0].attempt, batch.jobs[0].rate_limits) == (4, 2)
        end(batch, network_failure())
        assert job_of(batch).status == "dead"

    def test_the_other_side_may_ask_for_a_longer_pause_but_not_for_a_shorter_one(self, kind: Kind) -> None:
        for asked, least in ((500.0, 500), (0.001, 1)):
            batch = claimed(kind, f"s{asked}")
            end(batch, ServerError("busy", retry_after=asked))
            job = job_of(batch)
            wait = (job.next_attempt_at - job.attempts.latest("id").finished_at).total_seconds()
            assert least <= wait < least * 1.3 + 60

    def test_a_kind_may_have_rows_of_its_own_in_the_table(self, make_kind: MakeKind) -> None:
        stubborn = {**DEFAULT_POLICY, AuthError.error_class: Rule(retried=True, retries=1, delay=0.0)}
        kind = make_kind(retry=stubborn)
        batch = claimed(kind, "a")
        end(batch, AuthError("no"))
        assert job_of(batch).status == "retrying"
        make_due(job_of(batch))
        end(must_claim(kind), AuthError("no"))
        assert job_of(batch).status == "dead"


class TestDeadLetters:
    """What is left of a job that is given up."""

    def test_a_permanent_failure_leaves_its_payload_and_details(self, make_kind: MakeKind) -> None:
        kind = make_kind(subject_name="person_id")
        enqueue(kind.name, subject="a", operation="create", priority="high", metadata={"original_name": "Ө"})
        batch = must_claim(kind)
        error = InvalidInput("The text is empty.", status_code=400)
        assert end(batch, {batch.jobs[0].id: Failure(error, "Traceback ...")}) == {"dead": 1}
        letter, job = DeadLetter.objects.get(), job_of(batch)
        assert (letter.job_id, letter.kind, letter.subject) == (job.id, kind.name, "a")
        assert (letter.error_class, letter.failure_reason) == ("invalid_input", "The text is empty.")
        assert letter.error_details == {
            "message": "The text is empty.",
            "stack": "Traceback ...",
            "status_code": 400,
        }
        assert letter.payload["person_id"] == "a"
        assert letter.payload["metadata"]["original_name"] == "Ө"
        assert (letter.payload["operation"], letter.payload["priority"], letter.payload["attempt"]) == (
            "create",
            "high",
            1,
        )
        assert (letter.attempts, letter.enqueued_at, letter.last_attempt_at) == (1, job.created_at, job.started_at)
        assert (letter.resolution, letter.resolved_at, letter.resolved_by) == ("", None, "")

    def test_a_malformed_answer_is_kept_with_its_sample(self, kind: Kind) -> None:
        """Section 6: `bad_response` ends in a dead letter, with a clipped sample."""
        enqueue(kind.name, subject="a", max_retries=0)
        end(must_claim(kind), BadResponse("not JSON", sample="<html>502"))
        assert "<html>502" in str(DeadLetter.objects.values().get())

    def test_a_failure_whose_subject_has_a_newer_waiting_job_is_superseded(self, kind: Kind) -> None:
        for subject, error in (("a", network_failure()), ("b", NotFound("gone"))):
            batch = claimed(kind, subject)
            newer = enqueue(kind.name, subject=subject)
            assert end(batch, error) == {"cancelled": 1}
            job = job_of(batch)
            assert (job.status, job.result, job.error_class) == ("cancelled", "superseded", error.error_class)
            assert job.finished_at is not None
            assert job.attempts.count() == 1
            assert JobExecution.objects.get(id=newer.job_id).status == "queued"
            JobExecution.objects.filter(id=newer.job_id).delete()
        assert not DeadLetter.objects.exists()

    def test_a_success_does_not_mind_a_newer_waiting_job(self, kind: Kind) -> None:
        batch = claimed(kind, "a")
        enqueue(kind.name, subject="a")
        assert end(batch) == {"succeeded": 1}
        assert statuses(kind) == {"succeeded": 1, "queued": 1}


class TestWrite:
    """Results are stored in the transaction that ends the jobs."""

    def test_it_gets_the_jobs_that_are_held_and_may_replace_outcomes(self, kind: Kind) -> None:
        batch = claimed(kind, "a", "b", "c")
        a, b, c = (job.id for job in batch.jobs)
        got: list[set[UUID]] = []

        def write(held):
            got.append(set(held))
            return {b: "superseded", c: Failure(NotFound("deleted"))}

        assert end(batch, write=write) == {"succeeded": 2, "dead": 1}
        assert got == [{a, b, c}]
        assert [job_of(batch, n).result for n in range(3)] == ["done", "superseded", ""]

    def test_its_error_undoes_everything(self, kind: Kind) -> None:
        batch = claimed(kind, "a", "b")

        def write(held):
            JobExecution.objects.filter(id=batch.jobs[0].id).update(result="half")
            raise RuntimeError("disk full")

        with pytest.raises(RuntimeError):
            end(batch, {batch.jobs[0].id: "done", batch.jobs[1].id: Failure(NotFound("x"))}, write=write)
        assert statuses(kind) == {"running": 2}
        assert not job_of(batch).result
        assert not Attempt.objects.exists()
        assert not DeadLetter.objects.exists()
        assert Lease.objects.filter(id=batch.lease_id).exists()
        assert end(batch) == {"succeeded": 2}

    def test_outcomes_for_jobs_of_others_are_ignored(self, kind: Kind) -> None:
        other = claimed(kind, "other", worker="w2")
        batch = claimed(kind, "a")
        assert end(batch, write=lambda held: {other.jobs[0].id: "stolen"}) == {"succeeded": 1}
        assert job_of(other).status == "running"


def test_an_error_text_that_postgresql_can_not_store_fails_no_neighbour(kind: Kind) -> None:
    batch = claimed(kind, "a", "b")
    ends: dict[UUID, str | Failure] = {
        batch.jobs[0].id: Failure(NetworkError("half\x00 an answer \ud800")),
        batch.jobs[1].id: "done",
    }
    assert end(batch, ends) == {"succeeded": 1, "retrying": 1}
    assert "half" in job_of(batch).error


def test_a_key_in_an_error_is_not_stored_however_the_handler_told_it(kind: Kind) -> None:
    enqueue(kind.name, subject="a", max_retries=0)
    batch: Claim = must_claim(kind)
    key = "AIza" + "S" * 35
    end(batch, NetworkError(f"refused for key {key}"))
    rows = [*JobExecution.objects.values(), *Attempt.objects.values(), *DeadLetter.objects.values()]
    assert len(rows) == 3
    assert key not in str(rows)
