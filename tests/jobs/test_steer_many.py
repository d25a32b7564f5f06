"""Cancelling and retrying many jobs, in a few statements and in the order in which everybody writes."""

from functools import partial

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jobs.actor import Actor
from jobs.enqueue import enqueue_many
from jobs.errors import NotFound
from jobs.kinds import Kind
from jobs.lifecycle import Postponed, cancel_many, retry_many
from jobs.models import DeadLetter, JobExecution
from jobs.states import Status
from tests.concurrency import at_once, until_blocked

from .support import MakeKind, claimed, end, make_due, must_claim, put, statuses, waiting

OPERATOR = Actor("болд", "api")
alone = pytest.mark.django_db
on_real_connections = pytest.mark.django_db(transaction=True)


def dead_jobs(kind: Kind, *subjects: str) -> list[JobExecution]:
    batch = claimed(kind, *subjects)
    end(batch, NotFound("gone"))
    return [JobExecution.objects.get(id=job.id) for job in batch.jobs]


@alone
def test_of_many_dead_jobs_the_newest_of_each_subject_waits_and_its_letter_is_settled(kind: Kind) -> None:
    old = dead_jobs(kind, "a", "b", "waits")
    new = dead_jobs(kind, "a")
    waiting(kind, "waits")
    before = JobExecution.objects.count()

    assert retry_many([job.id for job in [*old, *new]], actor=OPERATOR) == {kind.name: 2}

    assert JobExecution.objects.count() == before
    again = JobExecution.objects.filter(operation="retry")
    assert {(job.id, job.status) for job in again} == {(new[0].id, "queued"), (old[1].id, "queued")}
    assert set(DeadLetter.objects.filter(resolution="retried").values_list("job", flat=True)) == {new[0].id, old[1].id}
    assert statuses(kind) == {"queued": 3, "dead": 2}


@alone
@pytest.mark.parametrize("act", [partial(retry_many, actor=OPERATOR), partial(cancel_many, by="болд")])
def test_many_cost_as_many_statements_as_one(make_kind: MakeKind, act) -> None:
    counts = []
    for size in (1, 80):
        kind = make_kind(batch_size=100, linger=0.0)
        ids = [job.id for job in dead_jobs(kind, *[f"d{n}" for n in range(size)])]
        ids += [job.id for job in waiting(kind, *[f"w{n}" for n in range(size)])]
        with CaptureQueriesContext(connection) as queries:
            act(ids)
        assert statuses(kind) in ({"queued": 2 * size}, {"dead": size, "cancelled": size})
        counts.append(len(queries))
    assert counts[0] == counts[1]


@alone
def test_of_many_jobs_those_that_wait_are_cancelled_and_the_others_left_alone(kind: Kind) -> None:
    jobs = [put(kind, f"{status}", status) for status in Status.values]

    cancelled = cancel_many([job.id for job in jobs], by="болд")

    by_status = {job.status: job for job in jobs}
    assert set(cancelled) == {by_status["queued"].id, by_status["retrying"].id}
    assert {job.metadata["cancelled_by"] for job in JobExecution.objects.filter(id__in=cancelled)} == {"болд"}
    assert statuses(kind) == {"running": 1, "succeeded": 1, "dead": 1, "cancelled": 3}


@alone
def test_nothing_named_is_nothing_done() -> None:
    assert (retry_many([], actor=OPERATOR), cancel_many([], by="x")) == ({}, [])


@on_real_connections
def test_retries_of_many_and_saves_of_the_same_subjects_at_once_never_stand_in_each_others_way(
    make_kind: MakeKind,
) -> None:
    kind = make_kind(batch_size=300, linger=0.0)
    subjects = [f"s{n:03}" for n in range(300)]
    ids = [job.id for job in dead_jobs(kind, *subjects)]

    results = at_once(
        partial(retry_many, ids, actor=OPERATOR),
        partial(retry_many, ids[::-1], actor=OPERATOR),
        partial(enqueue_many, kind.name, subjects[::-1]),
        partial(enqueue_many, kind.name, subjects),
    )

    assert [each for each in results if isinstance(each, Exception)] == []
    assert JobExecution.objects.filter(kind=kind.name, status="queued").count() == 300
    retried = sum(each.get(kind.name, 0) for each in results[:2])
    assert DeadLetter.objects.filter(resolution="retried").count() == retried


@on_real_connections
def test_a_retry_of_many_writes_in_the_order_of_subjects_as_saves_do(kind: Kind, session) -> None:
    ids = [job.id for job in dead_jobs(kind, "z", "m", "a")]
    saver, other, person = session(), session(), session()
    saver.begin()
    saver.do(enqueue_many, kind.name, ["m"])
    retrying = person.start(retry_many, ids, actor=OPERATOR)
    until_blocked(retrying)

    other.do(enqueue_many, kind.name, ["z"])  # Not written yet: it does not wait for the retry.

    saver.commit()
    assert retrying.result(20) == {kind.name: 1}
    assert JobExecution.objects.get(operation="retry").subject == "a"


@alone
def test_a_job_that_is_given_back_with_a_delay_waits_so_long_and_costs_no_attempt(kind: Kind) -> None:
    batch = claimed(kind, "later")
    end(batch, {batch.jobs[0].id: Postponed(delay=60.0)})
    job = JobExecution.objects.get()
    assert (job.status, job.attempt, job.deliveries) == ("queued", 1, 0)
    assert 50 < (job.next_attempt_at - job.started_at).total_seconds() < 70
    make_due(job)
    assert must_claim(kind).jobs[0].id == job.id
