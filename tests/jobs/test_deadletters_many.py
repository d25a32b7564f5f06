"""Settling many dead letters: what would come of it, and how it is cut into transactions."""

from functools import partial

import pytest

from jobs import deadletters, lifecycle
from jobs.actor import Actor
from jobs.errors import NotFound
from jobs.kinds import Kind
from jobs.lifecycle import StateConflict
from jobs.models import DeadLetter, JobExecution
from tests.concurrency import until_blocked

from .support import claimed, end, statuses, waiting

pytestmark = pytest.mark.django_db(transaction=True)


def bury(kind: Kind, *subjects: str) -> list[JobExecution]:
    """Make jobs, and have them die."""
    batch = claimed(kind, *subjects)
    end(batch, NotFound("gone"))
    return [JobExecution.objects.get(id=job.id) for job in batch.jobs]


def test_the_outlook_of_a_retry_is_what_the_retry_does(kind: Kind) -> None:
    bury(kind, "free", "waits", "twice")
    settled = bury(kind, "twice", "resolved", "odd")
    waiting(kind, "waits")
    deadletters.resolve([settled[1].id], resolved_by="x")
    JobExecution.objects.filter(id=settled[2].id).update(status="cancelled")

    outlook = deadletters.retry_outlook(DeadLetter.objects.all())

    assert outlook.reasons == {"resolved already": 1, "its job is cancelled": 1, deadletters.ANOTHER: 2}
    assert outlook == deadletters.retry_letters(DeadLetter.objects.all(), triggered_by="x")
    assert outlook.requeued == 2


def test_the_outlook_of_a_resolution_is_what_the_resolution_does(kind: Kind) -> None:
    first = bury(kind, "a", "b", "c")[0]
    deadletters.retry_one(first.id, triggered_by="x")

    outlook = deadletters.resolve_outlook(DeadLetter.objects.all())

    assert (outlook.resolved, outlook.reasons) == (2, {"retried already": 1})
    assert outlook == deadletters.resolve_letters(DeadLetter.objects.all(), resolved_by="x")


def test_chunks_are_small_and_leave_out_letters_that_come_meanwhile(kind: Kind, monkeypatch) -> None:
    monkeypatch.setattr(deadletters, "CHUNK", 2)
    bury(kind, *"abcde")
    seen: list[list[str]] = []

    def die_again(settled) -> None:
        seen.append([letter.subject for letter in settled])
        bury(kind, f"new {len(seen)}")

    done = deadletters.resolve_letters(deadletters.unsettled(), resolved_by="x", written=die_again)

    assert done.resolved == 5
    assert [len(some) for some in seen] == [2, 2, 1]
    assert {letter.subject for letter in deadletters.unsettled()} == {"new 1", "new 2", "new 3"}


@pytest.mark.parametrize(
    "settle",
    [
        partial(deadletters.retry_letters, triggered_by="x"),
        partial(deadletters.resolve_letters, resolved_by="x"),
    ],
)
def test_what_cannot_be_written_down_is_not_done(kind: Kind, settle) -> None:
    bury(kind, *"abc")

    def refuse(settled) -> None:
        raise OSError("the log is full")

    with pytest.raises(OSError, match="the log is full"):
        settle(deadletters.unsettled(), written=refuse)

    assert deadletters.unsettled().count() == 3
    assert statuses(kind) == {"dead": 3}


def test_a_retry_from_the_jobs_page_and_one_of_many_do_not_wait_for_each_other(kind: Kind, session) -> None:
    job = bury(kind, "a")[0]
    one, many = session(), session()
    one.begin()
    one.do(lambda: JobExecution.objects.select_for_update().get(id=job.id))
    future = many.start(deadletters.retry_letters, deadletters.unsettled(), triggered_by="many")
    until_blocked(future)

    one.do(lifecycle.retry, job.id, actor=Actor("one", "admin"))
    one.commit()

    assert future.result(20) == deadletters.Retried(0, 1, {"retried already": 1})
    assert DeadLetter.objects.get().resolved_by == "one"
    with pytest.raises(StateConflict):
        deadletters.retry_one(job.id, triggered_by="x")
