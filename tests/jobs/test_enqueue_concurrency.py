"""Entering the queue while others do, on real connections."""

import pytest

from jobs.enqueue import enqueue, enqueue_many
from jobs.errors import JobError
from jobs.kinds import Kind
from jobs.lifecycle import Failure, claim
from jobs.models import JobExecution
from tests.concurrency import at_once, until_blocked, until_blocked_or_done

from .support import claimed, end, network_failure, sender, statuses, waiting

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_job_that_was_joined_can_not_be_claimed_before_the_commit(kind: Kind, session) -> None:
    waiting(kind, "x")
    saver = session()
    saver.begin()
    saver.do(enqueue, kind.name, subject="x", priority="high")
    assert claim(kind, worker="w") is None
    saver.commit()
    taken = claim(kind, worker="w")
    assert taken is not None
    assert taken.jobs[0].priority == 0


def test_a_new_job_can_not_be_claimed_before_the_commit_and_is_gone_after_a_rollback(kind: Kind, session) -> None:
    saver = session()
    saver.begin()
    saver.do(enqueue, kind.name, subject="x")
    assert claim(kind, worker="w") is None
    saver.rollback()
    assert claim(kind, worker="w") is None
    assert not JobExecution.objects.exists()


def test_a_save_that_meets_a_claim_under_way_makes_one_more_job(kind: Kind, session) -> None:
    first = waiting(kind, "x")[0]
    worker, saver = session(), session()
    worker.begin()
    assert worker.do(claim, kind, worker="w").jobs[0].id == first.id
    entering = saver.start(enqueue, kind.name, subject="x")
    until_blocked(entering)
    worker.commit()
    entry = entering.result(20)
    assert entry.created
    assert entry.job_id != first.id
    assert statuses(kind) == {"running": 1, "queued": 1}


def test_a_save_that_meets_a_claim_rolled_back_joins(kind: Kind, session) -> None:
    first = waiting(kind, "x")[0]
    worker, saver = session(), session()
    worker.begin()
    worker.do(claim, kind, worker="w")
    entering = saver.start(enqueue, kind.name, subject="x")
    until_blocked(entering)
    worker.rollback()
    assert entering.result(20).job_id == first.id
    assert statuses(kind) == {"queued": 1}


def test_a_save_behind_one_that_is_rolled_back_makes_the_job_itself(kind: Kind, session) -> None:
    first, second = session(), session()
    first.begin()
    lost = first.do(enqueue, kind.name, subject="x")
    entering = second.start(enqueue, kind.name, subject="x")
    until_blocked(entering)
    first.rollback()
    entry = entering.result(20)
    assert entry.created
    assert entry.job_id != lost.job_id
    assert statuses(kind) == {"queued": 1}


def test_eight_saves_of_one_subject_at_once_make_one_job(kind: Kind) -> None:
    entries = at_once(*[lambda: enqueue(kind.name, subject="x")] * 8)
    assert len({each.job_id for each in entries}) == 1
    assert [each.created for each in entries].count(True) == 1
    assert statuses(kind) == {"queued": 1}


def test_bulk_calls_over_the_same_subjects_in_opposite_order_do_not_deadlock(kind: Kind) -> None:
    subjects = [f"s{n:03}" for n in range(150)]
    for _ in range(4):
        results = at_once(
            lambda: enqueue_many(kind.name, subjects),
            lambda: enqueue_many(kind.name, subjects[::-1]),
            lambda: enqueue_many(kind.name, subjects[50:] + subjects[:50]),
        )
        assert [len(each) for each in results] == [150, 150, 150]
        assert sum(entry.created for each in results for entry in each) == 150
        JobExecution.objects.all().delete()


def test_a_bulk_call_and_a_batch_that_fails_do_not_deadlock(kind: Kind, session) -> None:
    """A failing batch returns to waiting under the unique index, so it takes subjects just as a bulk call does."""
    batch = claimed(kind, "b", "a")
    bulk, worker = session(), session()
    bulk.begin()
    bulk.do(enqueue, kind.name, subject="a")
    failing = worker.start(end, batch, {job.id: Failure(network_failure()) for job in batch.jobs})
    until_blocked_or_done(failing)
    bulk.do(enqueue, kind.name, subject="b")
    bulk.commit()
    assert sum(failing.result(20).values()) == 2
    assert JobExecution.objects.filter(kind=kind.name, status__in=["queued", "retrying"]).count() == 2


def test_the_wake_up_goes_out_after_the_commit_and_never_before(kind: Kind, session) -> None:
    saver = session()
    saver.begin()
    saver.do(enqueue, kind.name, subject="x")
    assert sender().waiting_messages(kind.name) == 0
    saver.commit()
    assert sender().waiting_messages(kind.name) == 1


def test_a_rollback_sends_no_wake_up(kind: Kind, session) -> None:
    saver = session()
    saver.begin()
    saver.do(enqueue, kind.name, subject="x")
    saver.rollback()
    assert sender().waiting_messages(kind.name) == 0


def test_many_saves_send_one_wake_up_while_none_is_fetched(kind: Kind) -> None:
    for n in range(5):
        enqueue(kind.name, subject=str(n))
    enqueue_many(kind.name, ["a", "b"])
    assert sender().waiting_messages(kind.name) == 1


@pytest.mark.usefixtures("dead_redis")
def test_a_save_succeeds_while_redis_is_away(kind: Kind) -> None:
    assert enqueue(kind.name, subject="x").created
    assert enqueue(kind.name, subject="y").created
    taken = claim(kind, worker="w")
    assert taken is not None
    assert len(taken.jobs) == 2


def test_saves_and_claims_at_once_lose_no_last_save(kind: Kind) -> None:
    """Whatever the interleaving: after the last save of a subject, a claim that began later has taken its job."""

    def save() -> list[JobError]:
        for _ in range(25):
            enqueue(kind.name, subject="x")
        return []

    def work() -> int:
        done = 0
        for _ in range(40):
            taken = claim(kind, worker="w")
            done += sum(end(taken).values()) if taken else 0
        return done

    results = at_once(save, save, work, work)
    assert not [each for each in results if isinstance(each, Exception)]
    counts = statuses(kind)
    assert counts.get("queued", 0) <= 1
    assert counts["succeeded"] == results[2] + results[3]
    assert set(counts) <= {"queued", "succeeded"}
