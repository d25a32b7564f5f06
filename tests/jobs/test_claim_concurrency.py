"""Claiming by many workers at once, on real connections."""

from collections import Counter
from uuid import UUID

import pytest

from jobs import lanes
from jobs.actor import Actor
from jobs.enqueue import enqueue_many
from jobs.kinds import Kind
from jobs.lifecycle import StateConflict, cancel, claim
from jobs.models import JobExecution, Lane, Lease
from tests.concurrency import at_once, until_blocked

from .support import MakeKind, statuses, waiting

pytestmark = pytest.mark.django_db(transaction=True)


def test_eight_workers_claim_each_job_exactly_once(make_kind: MakeKind) -> None:
    kind = make_kind(batch_size=7, linger=0.0, concurrency=1000)
    enqueue_many(kind.name, [str(n) for n in range(200)])

    def work() -> list[UUID]:
        taken: list[UUID] = []
        while found := claim(kind, worker="w"):
            taken += [job.id for job in found.jobs]
        return taken

    results = at_once(*[work] * 8)
    times = Counter(job_id for each in results for job_id in each)
    assert len(times) == 200
    assert set(times.values()) == {1}
    assert statuses(kind) == {"running": 200}
    assert sum(Lease.objects.values_list("size", flat=True)) == 200
    assert set(JobExecution.objects.values_list("deliveries", flat=True)) == {1}


def test_the_limit_of_a_lane_holds_against_workers_at_once(make_kind: MakeKind) -> None:
    kind = make_kind(concurrency=3)
    enqueue_many(kind.name, [str(n) for n in range(20)])
    results = at_once(*[lambda: claim(kind, worker="w")] * 8)
    assert not [each for each in results if isinstance(each, Exception)]
    assert sum(each is not None for each in results) == 3
    assert Lease.objects.filter(kind=kind.name).count() == 3


def test_an_idle_lane_becomes_busy_for_the_second_of_two_at_once(make_kind: MakeKind) -> None:
    kind = make_kind(batch_size=5, linger=60.0)
    enqueue_many(kind.name, [str(n) for n in range(8)])
    results = at_once(*[lambda: claim(kind, worker="w")] * 2)
    assert sorted(len(each.jobs) if each else 0 for each in results) == [0, 5]


def test_the_first_claims_of_a_lane_ever_do_not_collide(make_kind: MakeKind) -> None:
    kind = make_kind(concurrency=100)
    enqueue_many(kind.name, [str(n) for n in range(8)])
    assert not Lane.objects.filter(kind=kind.name).exists()
    results = at_once(*[lambda: claim(kind, worker="w")] * 8)
    assert sorted(len(each.jobs) for each in results) == [1] * 8


def test_lanes_do_not_wait_for_one_another(kind: Kind, make_kind: MakeKind, session) -> None:
    other = make_kind()
    waiting(kind, "a")
    waiting(other, "b")
    first, second = session(), session()
    first.begin()
    assert first.do(claim, kind, worker="w")
    assert second.do(claim, other, worker="w")


def test_a_claim_passes_over_what_somebody_else_has_locked(kind: Kind, session) -> None:
    locked, free = waiting(kind, "a", "b")
    other = session()
    other.begin()
    other.do(cancel, locked.id, by="x")
    found = claim(kind, worker="w")
    assert found is not None
    assert [job.id for job in found.jobs] == [free.id]


def test_a_cancellation_that_comes_after_the_claim_is_refused(kind: Kind, session) -> None:
    job = waiting(kind, "a")[0]
    worker, person = session(), session()
    worker.begin()
    worker.do(claim, kind, worker="w")
    cancelling = person.start(cancel, job.id, by="x")
    until_blocked(cancelling)
    worker.commit()
    with pytest.raises(StateConflict, match="running"):
        cancelling.result(20)
    assert statuses(kind) == {"running": 1}


def test_no_claim_succeeds_after_a_pause_is_committed(kind: Kind, session) -> None:
    Lane.objects.create(kind=kind.name)
    waiting(kind, "a")
    person, worker = session(), session()
    person.begin()
    person.do(lanes.pause, kind.name, actor=Actor("op", "api"))
    claiming = worker.start(claim, kind, worker="w")
    until_blocked(claiming)
    person.commit()
    assert claiming.result(20) is None
