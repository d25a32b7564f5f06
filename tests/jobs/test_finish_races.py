"""Ending attempts while others change the same rows, on real connections."""

from threading import Event
from typing import Any
from uuid import uuid4

import pytest

from jobs.enqueue import enqueue
from jobs.errors import NotFound
from jobs.kinds import Kind
from jobs.lifecycle import claim, finish, release_worker, take_back_expired
from jobs.lifecycle.rewait import Ended, end_unfinished
from jobs.models import Attempt, DeadLetter, JobExecution, Lease
from tests.concurrency import at_once, until_blocked, until_blocked_or_done

from .support import claimed, end, expire, job_of, must_claim, network_failure, statuses

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_worker_that_lost_its_lease_changes_nothing(kind: Kind) -> None:
    lost = claimed(kind, "a", worker="slow")
    expire(lost)
    assert take_back_expired() == 1
    held = must_claim(kind, worker="quick")
    written: list[Any] = []
    for outcome in ("done", network_failure(), NotFound("x")):
        assert end(lost, outcome, write=written.append) == {"lost": 1}
    job = job_of(held)
    assert (job.status, job.worker, job.lease_id) == ("running", "quick", held.lease_id)
    assert not written
    assert not Attempt.objects.exists()
    assert not DeadLetter.objects.exists()
    assert end(held) == {"succeeded": 1}
    assert end(lost, network_failure()) == {"lost": 1}
    assert job_of(held).status == "succeeded"


def test_a_worker_that_lost_a_part_of_its_batch_ends_the_rest(kind: Kind) -> None:
    batch = claimed(kind, "a", "b", "c")
    stolen = batch.jobs[1].id
    JobExecution.objects.filter(id=stolen).update(status="queued", lease_id=None)
    written = []

    def write(held):
        written.append(set(held))
        return {stolen: "mine"}

    assert end(batch, write=write) == {"succeeded": 2, "lost": 1}
    assert written == [{batch.jobs[0].id, batch.jobs[2].id}]
    assert job_of(batch, 1).status == "queued"


def test_two_ends_of_one_batch_at_once_count_once(kind: Kind) -> None:
    batch = claimed(kind, *"abcdefgh")
    results = at_once(lambda: end(batch), lambda: end(batch, network_failure()))
    assert {"lost": 8} in results
    assert sum(statuses(kind).values()) == 8
    assert len(statuses(kind)) == 1
    assert Attempt.objects.count() in (0, 8)


class TestANewerJobThatSlipsIn:
    """A save commits between the look for a newer job and the failed job's return to waiting."""

    @pytest.fixture
    def meeting(self, kind: Kind, session):
        """A failing job that waits for the save which makes a newer one: (batch, saver, the end under way)."""
        batch = claimed(kind, "a", "b")
        saver, worker = session(), session()
        saver.begin()
        saver.do(enqueue, kind.name, subject="a")
        failing = worker.start(end, batch, network_failure())
        until_blocked(failing)
        return batch, saver, failing

    def test_it_supersedes_the_failed_job_and_no_other(self, kind: Kind, meeting) -> None:
        batch, saver, failing = meeting
        saver.commit()
        assert failing.result(20) == {"cancelled": 1, "retrying": 1}
        assert (job_of(batch, 0).status, job_of(batch, 0).result) == ("cancelled", "superseded")
        assert job_of(batch, 1).status == "retrying"
        assert statuses(kind) == {"queued": 1, "retrying": 1, "cancelled": 1}
        assert Attempt.objects.count() == 2

    def test_it_changes_nothing_when_it_is_rolled_back(self, kind: Kind, meeting) -> None:
        _, saver, failing = meeting
        saver.rollback()
        assert failing.result(20) == {"retrying": 2}
        assert statuses(kind) == {"retrying": 2}


def test_a_sweep_that_meets_a_batch_being_stored_leaves_it_alone(kind: Kind, session) -> None:
    batch = claimed(kind, "a", "b")
    expire(batch)
    storing, go_on = Event(), Event()

    def write(held):
        storing.set()
        assert go_on.wait(20)
        return {}

    worker, sweeper = session(), session()
    ending = worker.start(end, batch, write=write)
    assert storing.wait(20)
    sweeping = sweeper.start(take_back_expired)
    until_blocked_or_done(sweeping)
    go_on.set()
    assert ending.result(20) == {"succeeded": 2}
    assert sweeping.result(20) == 0
    assert statuses(kind) == {"succeeded": 2}


def test_a_sign_off_that_meets_a_batch_being_stored_takes_back_only_what_is_left(kind: Kind, session) -> None:
    """Compare-and-swap: what was stored while the other side waited for the rows is not made to wait again."""
    batch = claimed(kind, "a", "b", worker="leaving")
    storing, go_on = Event(), Event()

    def write(held):
        storing.set()
        assert go_on.wait(20)
        return {}

    worker, other = session(), session()
    ending = worker.start(finish, batch, {batch.jobs[0].id: "done"}, steps=[], write=write)
    assert storing.wait(20)
    releasing = other.start(release_worker, "leaving")
    until_blocked_or_done(releasing)
    go_on.set()
    assert ending.result(20) == {"succeeded": 1}
    releasing.result(20)
    assert job_of(batch, 0).status == "succeeded"
    assert job_of(batch, 1).status == "queued"
    assert not Lease.objects.exists()


def test_a_batch_that_is_stored_while_a_sweep_takes_it_back_is_lost(kind: Kind, session) -> None:
    batch = claimed(kind, "a")
    expire(batch)
    sweeper, worker = session(), session()
    sweeper.begin()
    assert sweeper.do(take_back_expired) == 1
    written: list[Any] = []
    ending = worker.start(end, batch, write=written.append)
    until_blocked(ending)
    sweeper.commit()
    assert ending.result(20) == {"lost": 1}
    assert not written
    assert statuses(kind) == {"queued": 1}
    assert claim(kind, worker="next") is not None


def test_a_job_under_another_lease_is_left_as_it_is(kind: Kind) -> None:
    batch = claimed(kind, "a")
    [job] = batch.jobs
    theirs = Ended(
        id=job.id,
        kind=kind.name,
        subject=job.subject,
        lease_id=uuid4(),
        status="dead",
        attempt=9,
        rate_limits=0,
        deliveries=0,
    )

    assert end_unfinished([theirs]) == {job.id: "running"}
    assert (job_of(batch).attempt, job_of(batch).lease_id) == (1, batch.lease_id)
