"""Claiming under a budget, in parts, and from lanes that are closed."""

import pytest

from jobs import lanes
from jobs.actor import Actor
from jobs.enqueue import enqueue
from jobs.kinds import Kind
from jobs.lifecycle import claim
from jobs.models import JobExecution, Lane, Lease

from .support import ahead, long_ago, statuses, waiting

pytestmark = pytest.mark.django_db


def taken(kind: Kind, **budget: int) -> list[str]:
    found = claim(kind, worker="w", **budget)
    return [] if found is None else [job.subject for job in found.jobs]


def made(kind: Kind, *subjects: str, **changes) -> None:
    """Make jobs; the first letter of a subject is its priority."""
    names = {"h": "high", "n": "normal", "l": "low"}
    for subject in subjects:
        enqueue(kind.name, subject=subject, priority=names[subject[0]])
        JobExecution.objects.filter(subject=subject).update(**changes)


def test_no_more_than_the_budget_is_claimed(kind: Kind) -> None:
    made(kind, "n1", "n2", "n3", "h1")
    found = claim(kind, worker="w", limit=2)
    assert [job.subject for job in found.jobs] == ["h1", "n1"]
    assert found.more_may_be_due
    assert taken(kind, limit=1000) == ["n2", "n3"]


def test_the_batch_size_is_the_limit_whatever_the_budget(kind: Kind) -> None:
    waiting(kind, *[str(n) for n in range(12)])
    assert len(taken(kind, limit=100, ordinary=100)) == 10


@pytest.mark.parametrize(
    ("limit", "ordinary", "expected"),
    [
        (3, 3, ["h1", "h2", "n1"]),
        (3, 1, ["h1", "h2", "n1"]),
        (3, 0, ["h1", "h2"]),
        (1, 0, ["h1"]),
        (5, 1, ["h1", "h2", "n1"]),
        (5, 5, ["h1", "h2", "n1", "n2", "l1"]),
    ],
)
def test_only_priority_high_may_use_what_is_not_for_ordinary_work(kind: Kind, limit, ordinary, expected) -> None:
    made(kind, "l1", "n1", "n2", "h1", "h2")
    assert taken(kind, limit=limit, ordinary=ordinary) == expected


def test_nothing_urgent_leaves_the_reserve_alone_and_makes_no_lease(kind: Kind) -> None:
    made(kind, "n1", "l1")
    assert taken(kind, limit=5, ordinary=0) == []
    assert not Lease.objects.exists()
    assert statuses(kind) == {"queued": 2}


def test_parts_of_rejected_batches_are_claimed_in_parts_and_apart(kind: Kind) -> None:
    made(kind, "n1", "n2", "n3", split_size=2)
    made(kind, "n4", split_size=1)
    made(kind, "n5", "n6")
    assert [taken(kind) for _ in range(5)] == [["n1", "n2"], ["n3"], ["n4"], ["n5", "n6"], []]


def test_an_urgent_job_comes_before_the_parts_and_alone(kind: Kind) -> None:
    made(kind, "n1", "n2", split_size=2)
    made(kind, "h1")
    first = claim(kind, worker="w")
    assert [job.subject for job in first.jobs] == ["h1"]
    assert taken(kind) == ["n1", "n2"]


def test_a_part_is_cut_to_the_budget(kind: Kind) -> None:
    made(kind, "n1", "n2", "n3", split_size=3)
    assert taken(kind, limit=2, ordinary=1) == ["n1"]


def test_a_part_tells_that_more_may_be_due(kind: Kind) -> None:
    made(kind, "n1", split_size=1)
    assert claim(kind, worker="w").more_may_be_due
    made(kind, "n2")
    assert not claim(kind, worker="w").more_may_be_due


def test_a_part_does_not_linger(make_kind) -> None:
    kind = make_kind(batch_size=10, linger=60.0)
    made(kind, "n0")
    assert taken(kind) == ["n0"]
    made(kind, "n1", "n2", split_size=2)
    assert taken(kind) == ["n1", "n2"]


def test_a_claim_that_takes_all_the_ordinary_budget_does_not_linger(make_kind) -> None:
    kind = make_kind(batch_size=10, linger=60.0)
    made(kind, "n0")
    assert taken(kind) == ["n0"]
    made(kind, "n1", "n2", "n3")
    assert taken(kind, limit=5, ordinary=4) == []
    assert taken(kind, limit=5, ordinary=3) == ["n1", "n2", "n3"]


def test_a_closed_lane_gives_nothing_out_until_its_time(kind: Kind) -> None:
    made(kind, "h1", "n1")
    Lane.objects.create(kind=kind.name, closed_until=ahead())
    assert taken(kind) == []
    Lane.objects.update(closed_until=long_ago())
    assert taken(kind) == ["h1", "n1"]


def test_a_lane_that_sleeps_for_want_of_budget_still_gives_out_what_there_is_budget_for(kind: Kind) -> None:
    made(kind, "h1", "n1")
    Lane.objects.create(kind=kind.name)
    lanes.sleep(kind.name, 60)
    assert taken(kind, limit=1, ordinary=0) == ["h1"]


def test_resuming_opens_a_closed_lane_too(kind: Kind) -> None:
    made(kind, "n1")
    Lane.objects.create(kind=kind.name, closed_until=ahead(), wake_at=ahead())
    lanes.pause(kind.name, actor=Actor("op", "api"))
    lanes.resume(kind.name)
    lane = Lane.objects.get()
    assert (lane.closed_until, lane.wake_at, lane.paused_at) == (None, None, None)
    assert taken(kind) == ["n1"]
