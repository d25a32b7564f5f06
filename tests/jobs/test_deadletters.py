"""Dead letters in the hands of people: retried once, settled once."""

from functools import partial

import pytest

from jobs import deadletters
from jobs.errors import NotFound, ServerError
from jobs.kinds import Kind
from jobs.lifecycle import StateConflict
from jobs.models import DeadLetter, JobExecution
from tests.concurrency import at_once

from .support import MakeKind, claimed, end, must_claim, sender, statuses, waiting

pytestmark = pytest.mark.django_db(transaction=True)


def bury(kind: Kind, *subjects: str, error=None) -> list[JobExecution]:
    """Make jobs, and have them die."""
    batch = claimed(kind, *subjects)
    end(batch, error or NotFound("gone"))
    return [JobExecution.objects.get(id=job.id) for job in batch.jobs]


def test_a_retry_settles_the_letter_and_the_job_begins_anew(kind: Kind) -> None:
    job = bury(kind, "a")[0]
    JobExecution.objects.update(attempt=3, rate_limits=2, split_size=4)
    sender().client.delete(f"dramatiq:{kind.name}")
    deadletters.retry_one(job.id, triggered_by="болд")
    job.refresh_from_db()
    assert (job.status, job.operation, job.attempt, job.rate_limits, job.deliveries, job.split_size) == (
        ("queued", "retry", 1, 0, 0, 0)
    )
    assert (job.error_class, job.error, job.steps, job.finished_at) == ("", "", [], None)
    assert (job.metadata["source"], job.metadata["triggered_by"]) == ("dlq-retry", "болд")
    letter = DeadLetter.objects.get()
    assert (letter.resolution, letter.resolved_by) == ("retried", "болд")
    assert letter.resolved_at is not None
    assert sender().waiting_messages(kind.name) == 1
    assert must_claim(kind).jobs[0].id == job.id


def test_a_job_that_dies_again_leaves_another_letter(kind: Kind) -> None:
    job = bury(kind, "a")[0]
    deadletters.retry_one(job.id, triggered_by="x")
    end(must_claim(kind), NotFound("still gone"))
    assert [letter.resolution for letter in DeadLetter.objects.order_by("created_at")] == ["retried", ""]
    assert deadletters.unsettled().get().failure_reason == "still gone"


def test_a_second_click_is_a_conflict(kind: Kind) -> None:
    job = bury(kind, "a")[0]
    deadletters.retry_one(job.id, triggered_by="x")
    with pytest.raises(StateConflict):
        deadletters.retry_one(job.id, triggered_by="x")
    assert statuses(kind) == {"queued": 1}


def test_two_people_who_retry_the_same_500_at_once_requeue_each_once(make_kind: MakeKind) -> None:
    kind = make_kind(batch_size=500, linger=0.0)
    subjects = [f"s{n:03}" for n in range(500)]
    bury(kind, *subjects)
    both = at_once(*[partial(deadletters.retry_letters, deadletters.unsettled(), triggered_by=who) for who in "xy"])
    assert sum(done.requeued for done in both) == 500
    assert statuses(kind) == {"queued": 500}
    assert not deadletters.unsettled().exists()
    for letter in DeadLetter.objects.select_related("job"):
        assert letter.resolved_by == letter.job.metadata["triggered_by"]


def test_a_retry_and_a_resolution_at_once_settle_each_letter_once(make_kind: MakeKind) -> None:
    kind = make_kind(batch_size=50, linger=0.0)
    jobs = bury(kind, *[f"s{n:02}" for n in range(50)])
    retried, resolved = at_once(
        partial(deadletters.retry_letters, deadletters.unsettled(), triggered_by="x"),
        partial(deadletters.resolve, [job.id for job in jobs], resolved_by="y"),
    )
    letters = DeadLetter.objects.select_related("job")
    assert {letter.resolution for letter in letters} <= {"retried", "resolved"}
    assert retried.requeued + resolved == 50
    for letter in letters:
        assert (letter.job.status == "queued") == (letter.resolution == "retried")


def test_of_two_dead_jobs_on_one_subject_only_the_newest_waits(kind: Kind) -> None:
    older, newer = bury(kind, "a")[0], bury(kind, "a")[0]
    done = deadletters.retry_letters(deadletters.unsettled(), triggered_by="x")
    assert (done.requeued, done.skipped) == (1, 1)
    assert deadletters.unsettled().get().job_id == older.id
    assert JobExecution.objects.get(id=newer.id).status == "queued"


def test_a_newer_waiting_job_does_the_work_and_the_letter_stays(kind: Kind) -> None:
    job = bury(kind, "a")[0]
    waiting(kind, "a")
    with pytest.raises(StateConflict):
        deadletters.retry_one(job.id, triggered_by="x")
    assert deadletters.unsettled().count() == 1
    assert statuses(kind) == {"dead": 1, "queued": 1}


def test_more_than_one_chunk_is_retried_in_all_its_kinds(make_kind: MakeKind, monkeypatch) -> None:
    monkeypatch.setattr(deadletters, "CHUNK", 3)
    kinds = [make_kind(batch_size=10, linger=0.0) for _ in range(2)]
    for kind in kinds:
        bury(kind, *"abcde")
        sender().client.delete(f"dramatiq:{kind.name}")
    assert deadletters.retry_letters(deadletters.unsettled(), triggered_by="x") == deadletters.Retried(10, 0)
    assert [sender().waiting_messages(kind.name) for kind in kinds] == [1, 1]


def test_a_resolution_needs_no_retry_and_comes_once(kind: Kind) -> None:
    job = bury(kind, "a")[0]
    assert deadletters.resolve([job.id], resolved_by="болд", note="closed down") == 1
    assert deadletters.resolve([job.id], resolved_by="other", note="again") == 0
    letter = DeadLetter.objects.get()
    assert (letter.resolution, letter.resolved_by, letter.note) == ("resolved", "болд", "closed down")
    with pytest.raises(StateConflict):
        deadletters.retry_one(job.id, triggered_by="x")
    assert JobExecution.objects.get().status == "dead"


def test_causes_group_what_is_unsettled_the_most_frequent_first(make_kind: MakeKind) -> None:
    kind = make_kind(batch_size=10, linger=0.0, max_retries=0)
    for n in range(3):
        bury(kind, f"a{n}", error=ServerError(f"failed after {n} s"))
    settled = bury(kind, "b", "c", error=NotFound("gone"))[0]
    deadletters.resolve([settled.id], resolved_by="x")
    assert [(cause["error_class"], cause["count"]) for cause in deadletters.causes()] == [
        ("server", 3),
        ("not_found", 1),
    ]
    summary = deadletters.summary()
    assert (summary["total_failed"], summary["by_error_class"]) == (4, {"server": 3, "not_found": 1})
    assert summary["oldest"] == DeadLetter.objects.earliest("created_at").created_at
