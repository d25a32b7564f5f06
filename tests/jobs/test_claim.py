"""Claiming, alone: what a lane gives out, and when it holds back."""

from uuid import uuid4

import pytest

from jobs import lanes
from jobs.actor import Actor
from jobs.enqueue import enqueue
from jobs.kinds import Kind
from jobs.lifecycle import claim, claim_one, take_back_expired
from jobs.models import JobExecution, Lane, Lease
from jobs.states import Status

from .support import MakeKind, ahead, claimed, end, expire, long_ago, make_due, must_claim, put, statuses, waiting

pytestmark = pytest.mark.django_db


def subjects(found) -> list[str]:
    return [job.subject for job in found.jobs]


def test_the_most_urgent_come_first_and_among_equals_the_oldest(kind: Kind) -> None:
    for subject, priority in [("n1", "normal"), ("l1", "low"), ("n2", "normal"), ("h1", "high"), ("h2", "high")]:
        enqueue(kind.name, subject=subject, priority=priority)
    assert subjects(must_claim(kind)) == ["h1", "h2", "n1", "n2", "l1"]


def test_an_urgent_save_overtakes_a_bulk_run_that_does_not_fit_one_batch(make_kind: MakeKind) -> None:
    kind = make_kind(batch_size=2, linger=0.0)
    for n in range(4):
        enqueue(kind.name, subject=f"bulk{n}", priority="low")
    enqueue(kind.name, subject="urgent", priority="high")
    found = must_claim(kind)
    assert subjects(found) == ["urgent", "bulk0"]
    assert found.more_may_be_due


def test_a_claim_takes_no_more_than_a_batch_and_leaves_the_rest(make_kind: MakeKind) -> None:
    kind = make_kind(batch_size=3, linger=0.0)
    waiting(kind, *"abcdefg")
    assert [len(must_claim(kind).jobs) for _ in range(3)] == [3, 3, 1]
    assert claim(kind, worker="w") is None


def test_a_claimed_job_runs_under_a_lease_for_a_limited_time(kind: Kind, settings) -> None:
    settings.JOB_LEASE = 120.0
    waiting(kind, "a", "b")
    found = must_claim(kind, worker="host:1-x")
    lease = Lease.objects.get()
    assert (lease.id, lease.kind, lease.worker, lease.size, lease.progress) == (
        found.lease_id,
        kind.name,
        "host:1-x",
        2,
        10,
    )
    assert (lease.expires_at - lease.claimed_at).total_seconds() == 120
    assert lease.steps[0]["progress"] == 10
    for job in JobExecution.objects.all():
        assert (job.status, job.lease_id, job.worker, job.deliveries) == ("running", lease.id, "host:1-x", 1)
        assert job.started_at is not None


def test_a_handler_gets_to_know_the_job_as_it_is_stored(kind: Kind) -> None:
    entry = enqueue(kind.name, subject="ө", operation="create", priority="high", metadata={"original_name": "Ү"})
    JobExecution.objects.update(attempt=2, rate_limits=1, deliveries=3, max_retries=6)
    job = must_claim(kind).jobs[0]
    assert (job.id, job.subject, job.operation, job.priority) == (entry.job_id, "ө", "create", 0)
    assert (job.attempt, job.max_retries, job.rate_limits, job.deliveries) == (2, 6, 1, 4)
    assert job.metadata["original_name"] == "Ү"


def test_nothing_due_is_no_claim_and_leaves_no_lease(kind: Kind) -> None:
    assert claim(kind, worker="w") is None
    waiting(kind, "a", next_attempt_at=ahead())
    put(kind, "b", Status.RETRYING, next_attempt_at=ahead())
    for status in (Status.SUCCEEDED, Status.DEAD, Status.CANCELLED):
        put(kind, "c", status)
    assert claim(kind, worker="w") is None
    assert not Lease.objects.exists()


def test_a_job_that_retries_is_claimed_once_its_time_has_come(kind: Kind) -> None:
    job = put(kind, "a", Status.RETRYING, next_attempt_at=ahead(), attempt=2)
    assert claim(kind, worker="w") is None
    make_due(job)
    assert must_claim(kind).jobs[0].attempt == 2


def test_a_lane_takes_only_jobs_of_its_own_kind(kind: Kind, make_kind: MakeKind) -> None:
    other = make_kind()
    waiting(other, "a")
    assert claim(kind, worker="w") is None
    assert claim(other, worker="w") is not None


def test_the_limit_of_a_lane_counts_the_batches_of_all_workers(make_kind: MakeKind) -> None:
    kind, other = make_kind(concurrency=2), make_kind(concurrency=1)
    waiting(kind, *"abc")
    waiting(other, "x")
    first = must_claim(kind, worker="w1")
    must_claim(kind, worker="w2")
    assert claim(kind, worker="w3") is None
    assert claim(other, worker="w3") is not None, "another lane has a limit of its own"
    end(first)
    assert claim(kind, worker="w3") is not None


@pytest.mark.parametrize("until", [None, "ahead"])
def test_a_paused_lane_gives_nothing_out_until_it_is_resumed(kind: Kind, until) -> None:
    waiting(kind, "a")
    lanes.pause(kind.name, actor=Actor("op", "api"), reason="outage", until=ahead() if until else None)
    assert claim(kind, worker="w") is None
    lanes.resume(kind.name)
    assert claim(kind, worker="w") is not None


def test_a_pause_ends_by_itself_when_its_time_has_passed(kind: Kind) -> None:
    waiting(kind, "a")
    lanes.pause(kind.name, actor=Actor("op", "api"), until=ahead())
    Lane.objects.update(paused_until=long_ago())
    assert claim(kind, worker="w") is not None


class TestLinger:
    """Nagle's rule: an idle lane never waits; a busy one lets a batch fill up for a while."""

    @pytest.fixture
    def busy(self, make_kind: MakeKind) -> Kind:
        """A lane of batches of three, with one of a single job under way."""
        kind = make_kind(batch_size=3, linger=60.0)
        claimed(kind, "running")
        return kind

    def test_an_idle_lane_gives_a_single_job_out_at_once(self, busy: Kind) -> None:
        assert statuses(busy) == {"running": 1}

    def test_a_busy_lane_holds_a_part_of_a_batch_back(self, busy: Kind) -> None:
        waiting(busy, "a", "b")
        assert claim(busy, worker="w") is None
        assert statuses(busy) == {"running": 1, "queued": 2}
        assert Lease.objects.count() == 1

    def test_a_busy_lane_gives_a_full_batch_out_at_once(self, busy: Kind) -> None:
        waiting(busy, "a", "b", "c", "d")
        assert len(must_claim(busy).jobs) == 3

    def test_a_busy_lane_gives_a_part_out_when_its_oldest_job_has_waited_long_enough(self, busy: Kind) -> None:
        waiting(busy, "a", next_attempt_at=long_ago())
        waiting(busy, "b")
        assert subjects(must_claim(busy)) == ["a", "b"]

    def test_the_lane_is_idle_again_once_its_batch_is_over(self, busy: Kind) -> None:
        waiting(busy, "a")
        Lease.objects.update(expires_at=long_ago())
        assert take_back_expired() == 1
        assert sorted(subjects(must_claim(busy))) == ["a", "running"]

    def test_a_kind_without_batches_never_holds_back(self, make_kind: MakeKind) -> None:
        kind = make_kind(batch_size=1, linger=60.0)
        waiting(kind, "a", "b")
        assert must_claim(kind)
        assert must_claim(kind)


class TestClaimOne:
    """A single job, at once."""

    def test_it_ignores_the_pause_the_limit_and_the_due_time(self, make_kind: MakeKind) -> None:
        kind = make_kind(concurrency=1)
        claimed(kind, "running")
        job = waiting(kind, "a", next_attempt_at=ahead())[0]
        lanes.pause(kind.name, actor=Actor("op", "api"))
        found = claim_one(kind, job.id, worker="web")
        assert [each.id for each in found.jobs] == [job.id]
        assert Lease.objects.get(id=found.lease_id).size == 1
        assert end(found, "now") == {"succeeded": 1}

    @pytest.mark.parametrize("status", [s for s in Status if s not in ("queued", "retrying")])
    def test_a_job_that_does_not_wait_is_refused_without_a_trace(self, kind: Kind, status) -> None:
        job = put(kind, "a", status)
        leases = Lease.objects.count()
        with pytest.raises(LookupError, match="does not wait"):
            claim_one(kind, job.id, worker="web")
        with pytest.raises(LookupError):
            claim_one(kind, uuid4(), worker="web")
        assert Lease.objects.count() == leases
        job.refresh_from_db()
        assert job.status == status


def test_an_expired_lease_counts_until_it_is_swept(make_kind: MakeKind) -> None:
    """Its worker may still be at work: only the sweep, which fences it, makes room."""
    kind = make_kind(concurrency=1)
    expire(claimed(kind, "a"))
    waiting(kind, "b")
    assert claim(kind, worker="w") is None
