"""Taking jobs back from workers that will not finish them."""

import pytest

from jobs.enqueue import enqueue, enqueue_many
from jobs.kinds import Kind
from jobs.lifecycle import release_worker, take_back_expired
from jobs.lifecycle.recover import MAX_DELIVERIES
from jobs.models import Attempt, DeadLetter, JobExecution, Lease
from jobs.scheduler import sweep
from tests.concurrency import at_once, until_blocked

from .support import MakeKind, claimed, end, expire, job_of, must_claim, network_failure, statuses

on_real_connections = pytest.mark.django_db(transaction=True)


@pytest.mark.django_db
class TestLostLeases:
    """What is taken back, and what becomes of it."""

    def test_a_job_whose_lease_ran_out_waits_again_and_loses_no_attempt(self, kind: Kind) -> None:
        batch = claimed(kind, "a")
        expire(batch)
        assert take_back_expired() == 1
        job = job_of(batch)
        assert (job.status, job.attempt, job.lease_id, job.finished_at) == ("queued", 1, None, None)
        assert not Attempt.objects.exists()
        assert not Lease.objects.exists()
        again = must_claim(kind, worker="w2")
        assert (again.jobs[0].id, again.jobs[0].deliveries) == (job.id, 2)

    def test_a_lease_that_still_runs_is_left_alone(self, kind: Kind) -> None:
        batch = claimed(kind, "a")
        assert take_back_expired() == 0
        assert job_of(batch).status == "running"

    def test_a_worker_that_signs_off_gives_back_its_own_jobs_only(self, kind: Kind) -> None:
        mine, other = claimed(kind, "a", worker="mine"), claimed(kind, "b", worker="other")
        assert release_worker("mine", "never seen") == 1
        assert (job_of(mine).status, job_of(other).status) == ("queued", "running")
        assert [lease.id for lease in Lease.objects.all()] == [other.lease_id]

    def test_an_end_starts_the_count_of_deliveries_anew(self, kind: Kind) -> None:
        batch = claimed(kind, "a")
        expire(batch)
        take_back_expired()
        batch = must_claim(kind)
        end(batch, network_failure())
        assert job_of(batch).deliveries == 0

    def test_a_job_with_a_newer_one_waiting_is_superseded(self, kind: Kind) -> None:
        batch = claimed(kind, "a")
        newer = enqueue(kind.name, subject="a")
        expire(batch)
        assert take_back_expired() == 1
        job = job_of(batch)
        assert (job.status, job.result, job.lease_id) == ("cancelled", "superseded", None)
        assert job.finished_at is not None
        assert JobExecution.objects.get(id=newer.job_id).status == "queued"

    def test_a_job_that_was_claimed_five_times_and_never_finished_is_poisoned(self, kind: Kind) -> None:
        batch = claimed(kind, "a", worker="w1")
        for delivery in range(1, MAX_DELIVERIES + 1):
            assert batch.jobs[0].deliveries == delivery
            assert job_of(batch).status == "running"
            expire(batch)
            assert take_back_expired() == 1
            if delivery < MAX_DELIVERIES:
                batch = must_claim(kind, worker=f"w{delivery + 1}")
        job, letter, attempt = job_of(batch), DeadLetter.objects.get(), Attempt.objects.get()
        assert (job.status, job.error_class, job.lease_id) == ("dead", "poisoned", None)
        assert job.finished_at is not None
        assert (letter.job_id, letter.error_class, letter.failure_reason) == (job.id, "poisoned", job.error)
        assert (attempt.job_id, attempt.error_class, attempt.number, attempt.worker) == (job.id, "poisoned", 1, "w5")

    def test_neighbours_of_a_poisoned_job_wait_again(self, kind: Kind) -> None:
        batch = claimed(kind, "a", "b")
        JobExecution.objects.filter(id=batch.jobs[0].id).update(deliveries=MAX_DELIVERIES)
        expire(batch)
        assert take_back_expired() == 2
        assert (job_of(batch, 0).status, job_of(batch, 1).status) == ("dead", "queued")

    def test_a_poisoned_job_with_a_newer_one_waiting_is_superseded(self, kind: Kind) -> None:
        batch = claimed(kind, "a")
        JobExecution.objects.update(deliveries=MAX_DELIVERIES)
        enqueue(kind.name, subject="a")
        expire(batch)
        take_back_expired()
        assert job_of(batch).status == "cancelled"
        assert not DeadLetter.objects.exists()

    def test_more_leases_than_one_sweep_takes_are_taken_by_the_next(self, make_kind: MakeKind) -> None:
        kind = make_kind(concurrency=100)
        enqueue_many(kind.name, [str(n) for n in range(60)])
        expire(*[must_claim(kind) for _ in range(60)])
        assert [take_back_expired(), take_back_expired(), take_back_expired()] == [50, 10, 0]


@on_real_connections
class TestTwoRunningJobsOfOneSubject:
    """A save while a job runs makes one more, which another thread claims: then both can be lost together."""

    @pytest.fixture
    def lost(self, kind: Kind):
        first = claimed(kind, "a", worker="dead")
        second = claimed(kind, "a", "b", worker="dead")
        assert len({job.id for job in (*first.jobs, *second.jobs)}) == 3
        return first, second

    def check(self, kind: Kind) -> None:
        assert statuses(kind) == {"queued": 2, "cancelled": 1}
        assert sorted(JobExecution.objects.filter(status="queued").values_list("subject", flat=True)) == ["a", "b"]
        assert not Lease.objects.exists()

    @pytest.mark.usefixtures("lost")
    def test_one_of_them_waits_again_when_their_worker_is_lost(self, kind: Kind) -> None:
        assert release_worker("dead") == 3
        self.check(kind)

    def test_one_of_them_waits_again_when_their_leases_run_out(self, kind: Kind, lost) -> None:
        expire(*lost)
        sweep()
        self.check(kind)


@on_real_connections
def test_two_sweeps_at_once_share_the_leases(make_kind: MakeKind) -> None:
    kind = make_kind(concurrency=100)
    enqueue_many(kind.name, [str(n) for n in range(40)])
    expire(*[must_claim(kind) for _ in range(40)])
    results = at_once(*[take_back_expired] * 4)
    assert sum(results) == 40
    assert statuses(kind) == {"queued": 40}
    assert not Lease.objects.exists()


@on_real_connections
def test_a_sweep_does_not_wait_for_another_one(kind: Kind, session) -> None:
    expire(claimed(kind, "a"))
    first, second = session(), session()
    first.begin()
    assert first.do(take_back_expired) == 1
    expire(claimed(kind, "b"))
    assert second.do(take_back_expired) == 1
    first.commit()
    assert statuses(kind) == {"queued": 2}


@on_real_connections
def test_a_sweep_and_a_sign_off_at_once_take_each_job_back_once(make_kind: MakeKind) -> None:
    kind = make_kind(concurrency=100)
    enqueue_many(kind.name, [str(n) for n in range(30)])
    expire(*[must_claim(kind, worker="gone") for _ in range(30)])
    results = at_once(take_back_expired, lambda: release_worker("gone"), take_back_expired)
    assert sum(results) == 30
    assert statuses(kind) == {"queued": 30}


@on_real_connections
def test_a_save_that_slips_into_a_sweep_supersedes_the_lost_job(kind: Kind, session) -> None:
    batch = claimed(kind, "a")
    expire(batch)
    saver, sweeper = session(), session()
    saver.begin()
    saver.do(enqueue, kind.name, subject="a")
    sweeping = sweeper.start(take_back_expired)
    until_blocked(sweeping)
    saver.commit()
    assert sweeping.result(20) == 1
    assert statuses(kind) == {"queued": 1, "cancelled": 1}
    assert job_of(batch).result == "superseded"
