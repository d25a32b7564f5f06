"""What people may do: cancel what waits, retry what is dead."""

from uuid import uuid4

import pytest

from jobs.actor import Actor
from jobs.clock import ago
from jobs.enqueue import enqueue
from jobs.errors import NotFound
from jobs.kinds import Kind
from jobs.lifecycle import StateConflict, cancel, cancel_waiting, retry
from jobs.models import DeadLetter, JobExecution
from jobs.states import WAITING, Status
from tests.concurrency import at_once, until_blocked

from .support import MakeKind, claimed, end, job_of, must_claim, put, statuses

OPERATOR = Actor("болд", "api")
alone = pytest.mark.django_db
on_real_connections = pytest.mark.django_db(transaction=True)


def dead_job(kind: Kind, subject: str = "a") -> JobExecution:
    batch = claimed(kind, subject)
    end(batch, NotFound("gone"))
    return job_of(batch)


@alone
@pytest.mark.parametrize("status", Status.values)
def test_only_a_job_that_waits_can_be_cancelled(kind: Kind, status) -> None:
    job = put(kind, "a", status)
    if status in WAITING:
        cancel(job.id, by="болд")
        job.refresh_from_db()
        assert (job.status, job.result) == ("cancelled", "by a person")
        assert job.metadata["cancelled_by"] == "болд"
        assert job.finished_at is not None
    else:
        with pytest.raises(StateConflict, match=status):
            cancel(job.id, by="болд")
        job.refresh_from_db()
        assert (job.status, job.result) == (status, "")


@alone
@pytest.mark.parametrize("status", [s for s in Status.values if s != "dead"])
def test_only_a_dead_job_can_be_retried(kind: Kind, status) -> None:
    job = put(kind, "a", status, attempt=3)
    with pytest.raises(StateConflict, match=status):
        retry(job.id, actor=OPERATOR)
    job.refresh_from_db()
    assert (job.status, job.attempt, job.operation) == (status, 3, "update")


@alone
def test_a_job_that_does_not_exist_is_neither_cancelled_nor_retried() -> None:
    with pytest.raises(JobExecution.DoesNotExist):
        cancel(uuid4(), by="x")
    with pytest.raises(JobExecution.DoesNotExist):
        retry(uuid4(), actor=OPERATOR)


@alone
def test_a_subject_that_goes_takes_its_waiting_jobs_of_every_kind_with_it(kind: Kind, make_kind: MakeKind) -> None:
    other = make_kind()
    running = claimed(kind, "a")
    enqueue(kind.name, subject="a")
    put(other, "a", Status.RETRYING)
    enqueue(kind.name, subject="b")
    put(kind, "a", Status.SUCCEEDED)
    assert cancel_waiting(["a"], reason="subject deleted") == 2
    assert job_of(running).status == "running"
    assert statuses(kind) == {"running": 1, "cancelled": 1, "queued": 1, "succeeded": 1}
    assert statuses(other) == {"cancelled": 1}
    assert cancel_waiting([], reason="x") == 0


@alone
def test_a_retry_starts_the_job_afresh_and_settles_its_dead_letter(kind: Kind) -> None:
    job = dead_job(kind)
    JobExecution.objects.filter(id=job.id).update(
        attempt=4, rate_limits=2, deliveries=3, steps=[{"progress": 10, "at": "x"}], metadata={"original_name": "Ө"}
    )
    retry(job.id, actor=OPERATOR)
    job.refresh_from_db()
    assert (job.status, job.operation, job.attempt, job.rate_limits, job.deliveries) == ("queued", "retry", 1, 0, 0)
    assert (job.error_class, job.error, job.result, job.steps, job.worker) == ("", "", "", [], "")
    assert (job.started_at, job.finished_at) == (None, None)
    assert job.metadata["original_name"] == "Ө"
    assert (job.metadata["triggered_by"], job.metadata["source"]) == ("болд", "api")
    letter = DeadLetter.objects.get()
    assert (letter.resolution, letter.resolved_by) == ("retried", "болд")
    assert letter.resolved_at is not None
    assert job.attempts.count() == 1, "the history stays"
    assert must_claim(kind).jobs[0].id == job.id


@alone
def test_a_job_that_dies_again_gets_a_second_dead_letter(kind: Kind) -> None:
    job = dead_job(kind)
    retry(job.id, actor=OPERATOR)
    end(must_claim(kind), NotFound("still gone"))
    letters = DeadLetter.objects.filter(job=job)
    assert [letter.failure_reason for letter in letters.filter(resolved_at=None)] == ["still gone"]
    assert letters.count() == 2


@alone
def test_a_letter_that_was_resolved_before_keeps_who_did_it(kind: Kind) -> None:
    job = dead_job(kind)
    DeadLetter.objects.update(resolution="resolved", resolved_at=ago(10), resolved_by="other")
    retry(job.id, actor=OPERATOR)
    assert DeadLetter.objects.values_list("resolution", "resolved_by").get() == ("resolved", "other")


@alone
def test_a_retry_gives_way_to_a_newer_job_of_the_subject(kind: Kind) -> None:
    job = dead_job(kind)
    enqueue(kind.name, subject="a")
    with pytest.raises(StateConflict, match="newer"):
        retry(job.id, actor=OPERATOR)
    job.refresh_from_db()
    assert job.status == "dead"
    assert DeadLetter.objects.get().resolved_at is None


@on_real_connections
def test_of_retries_at_once_exactly_one_succeeds(kind: Kind) -> None:
    job = dead_job(kind)
    results = at_once(*[lambda: retry(job.id, actor=OPERATOR)] * 4)
    assert results.count(None) == 1
    assert sum(isinstance(each, StateConflict) for each in results) == 3
    assert statuses(kind) == {"queued": 1}
    assert DeadLetter.objects.count() == 1


@on_real_connections
def test_retries_of_two_dead_jobs_of_one_subject_at_once_leave_one_waiting(kind: Kind) -> None:
    jobs = [dead_job(kind), dead_job(kind)]
    results = at_once(*[lambda job=job: retry(job.id, actor=OPERATOR) for job in jobs])
    assert results.count(None) == 1
    assert statuses(kind) == {"queued": 1, "dead": 1}
    assert DeadLetter.objects.filter(resolved_at=None).count() == 1


@on_real_connections
def test_a_retry_that_meets_a_save_under_way_gives_way_to_it(kind: Kind, session) -> None:
    job = dead_job(kind)
    saver, person = session(), session()
    saver.begin()
    saver.do(enqueue, kind.name, subject="a")
    retrying = person.start(retry, job.id, actor=OPERATOR)
    until_blocked(retrying)
    saver.commit()
    with pytest.raises(StateConflict, match="newer"):
        retrying.result(20)
    assert DeadLetter.objects.get().resolved_at is None


@on_real_connections
def test_of_cancellations_at_once_exactly_one_succeeds(kind: Kind) -> None:
    job_id = enqueue(kind.name, subject="a").job_id
    results = at_once(*[lambda: cancel(job_id, by="x")] * 4)
    assert results.count(None) == 1
    assert sum(isinstance(each, StateConflict) for each in results) == 3
