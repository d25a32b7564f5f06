"""Entering the queue, alone: one waiting job per kind and subject, with who asked for it."""

from datetime import datetime
from uuid import uuid4

import pytest

from jobs.actor import Actor, acting_as, current_actor
from jobs.enqueue import enqueue, enqueue_many
from jobs.kinds import Kind, UnknownKind
from jobs.models import JobExecution, Run
from jobs.states import Status

from .support import MakeKind, claimed, put

pytestmark = pytest.mark.django_db


def stored(entry) -> JobExecution:
    return JobExecution.objects.get(id=entry.job_id)


def test_the_first_call_makes_a_job_that_is_due_now(kind: Kind) -> None:
    subject = uuid4()
    entry = enqueue(kind.name, subject=subject, operation="create", priority="high")
    job = stored(entry)
    assert (entry.created, entry.status, entry.subject) == (True, "queued", str(subject))
    assert (job.kind, job.subject, job.operation, job.priority, job.status) == (
        kind.name,
        str(subject),
        "create",
        0,
        "queued",
    )
    assert (job.attempt, job.deliveries, job.rate_limits, job.lease_id, job.started_at) == (1, 0, 0, None, None)
    assert job.next_attempt_at == job.created_at


@pytest.mark.parametrize("status", [Status.QUEUED, Status.RETRYING])
def test_a_second_call_joins_the_job_that_waits(kind: Kind, status) -> None:
    first = put(kind, "x", status, attempt=2)
    entry = enqueue(kind.name, subject="x")
    assert (entry.job_id, entry.created, entry.status) == (first.id, False, status)
    assert JobExecution.objects.filter(kind=kind.name).count() == 1
    assert stored(entry).attempt == 2


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [("low", "high", 0), ("high", "low", 0), ("normal", "low", 1), ("low", "normal", 1), ("low", "low", 2)],
)
def test_joining_keeps_the_more_urgent_priority(kind: Kind, first, second, kept) -> None:
    enqueue(kind.name, subject="x", priority=first)
    assert stored(enqueue(kind.name, subject="x", priority=second)).priority == kept


def test_a_job_that_runs_is_not_joined(kind: Kind) -> None:
    running = claimed(kind, "x").jobs[0]
    entry = enqueue(kind.name, subject="x")
    assert entry.created
    assert entry.job_id != running.id
    assert not enqueue(kind.name, subject="x").created


@pytest.mark.parametrize("status", [Status.SUCCEEDED, Status.DEAD, Status.CANCELLED])
def test_a_job_that_is_over_is_not_joined(kind: Kind, status) -> None:
    over = put(kind, "x", status)
    assert enqueue(kind.name, subject="x").created
    over.refresh_from_db()
    assert over.status == status


def test_kinds_do_not_share_the_jobs_of_a_subject(kind: Kind, make_kind: MakeKind) -> None:
    other = make_kind()
    assert enqueue(kind.name, subject="x").created
    assert enqueue(other.name, subject="x").created


def test_an_unknown_kind_is_refused_before_anything_is_written() -> None:
    with pytest.raises(UnknownKind, match="nonsense"):
        enqueue("nonsense", subject="x")
    assert not JobExecution.objects.exists()


def test_an_unknown_priority_is_refused_and_leaves_the_transaction_of_the_caller_usable(kind: Kind) -> None:
    with pytest.raises(ValueError, match="high, normal, low"):
        enqueue(kind.name, subject="x", priority="urgent")
    assert not JobExecution.objects.exists()


def test_the_metadata_says_who_asked_when_and_through_which_door(kind: Kind) -> None:
    with acting_as("Болормаа", "admin"):
        job = stored(enqueue(kind.name, subject="x", metadata={"original_name": "Номин ө ү"}))
    assert job.metadata.pop("triggered_at") <= datetime.now(tz=job.created_at.tzinfo).isoformat()
    assert job.metadata == {"triggered_by": "Болормаа", "source": "admin", "original_name": "Номин ө ү"}


def test_an_actor_that_is_given_wins_over_the_one_of_the_context(kind: Kind) -> None:
    with acting_as("context", "admin"):
        job = stored(enqueue(kind.name, subject="x", actor=Actor("given", "api")))
    assert (job.metadata["triggered_by"], job.metadata["source"]) == ("given", "api")


def test_the_actor_of_the_context_ends_with_its_block_even_by_an_error() -> None:
    with acting_as("outer", "admin"):
        with pytest.raises(RuntimeError), acting_as("inner", "api"):
            raise RuntimeError
        assert current_actor() == Actor("outer", "admin")
    assert current_actor() == Actor("system", "cli")


def test_the_retries_are_those_of_the_kind_unless_the_caller_says_otherwise(make_kind: MakeKind) -> None:
    kind = make_kind(max_retries=7)
    assert stored(enqueue(kind.name, subject="a")).max_retries == 7
    assert stored(enqueue(kind.name, subject="b", max_retries=0)).max_retries == 0


def test_many_are_answered_in_the_order_they_were_given(kind: Kind) -> None:
    enqueue(kind.name, subject="b")
    entries = enqueue_many(kind.name, ["c", "b", "a"], extras=[{"n": 1}, {"n": 2}, {"n": 3}])
    assert [(each.subject, each.created) for each in entries] == [("c", True), ("b", False), ("a", True)]
    assert [stored(each).metadata.get("n") for each in entries] == [1, None, 3]


def test_a_thousand_take_one_statement_and_none_takes_none(kind: Kind, django_assert_num_queries) -> None:
    with django_assert_num_queries(1):
        entries = enqueue_many(kind.name, [str(n) for n in range(1000)])
    assert all(each.created for each in entries)
    with django_assert_num_queries(0):
        assert enqueue_many(kind.name, []) == []


def test_a_run_claims_new_jobs_and_those_of_no_run(kind: Kind) -> None:
    runs = [Run.objects.create(kind=kind.name, requested_by="x", source="api", total=1) for _ in range(2)]
    enqueue(kind.name, subject="a")
    first = enqueue_many(kind.name, ["a", "b"], run=runs[0])
    second = enqueue_many(kind.name, ["b", "c"], run=runs[1])
    assert [stored(each).run for each in first] == [runs[0], runs[0]]
    assert [stored(each).run for each in second] == [runs[0], runs[1]]


@pytest.mark.parametrize("subject", ["'; DROP TABLE jobs_jobexecution; --", "a,b", "{x}", '"', "\\", "Өгөөж", "%s"])
def test_any_subject_is_stored_as_it_is(kind: Kind, subject) -> None:
    entry = enqueue_many(kind.name, [subject], extras=[{"name": subject}])[0]
    assert (stored(entry).subject, stored(entry).metadata["name"]) == (subject, subject)
