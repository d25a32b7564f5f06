"""Working a bulk action off: every row once, whatever happens to the worker."""

from functools import partial
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User

from jobs import deadletters
from jobs.bulk import actions, work
from jobs.bulk.job_actions import CANCEL_JOBS, RETRY_JOBS
from jobs.bulk.letters import RESOLVE_LETTERS, RETRY_LETTERS
from jobs.bulk.steer import stop
from jobs.kinds import Kind
from jobs.lifecycle import StateConflict
from jobs.models import BulkAction, DeadLetter, JobExecution
from jobs.states import Status
from tests.concurrency import at_once, until_blocked
from tests.jobs.admin.support import bury
from tests.jobs.support import MakeKind, put, statuses, waiting

from .support import begin, counts, hurry, its_job, retry_all, work_off

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def kind(make_kind: MakeKind) -> Kind:
    return make_kind(batch_size=100, linger=0.0)


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "BATCH", 4)


def test_all_that_match_are_dealt_with_and_counted_by_reason(kind: Kind) -> None:
    letters = bury(kind, *[f"s{n}" for n in range(10)]) + bury(kind, "s1", "waits")
    waiting(kind, "waits")
    bulk = retry_all(kind)
    assert counts(bulk) == ("waiting", 0, 0)

    work_off()

    assert counts(bulk) == ("done", 10, 2)
    assert (bulk.total, bulk.reasons) == (12, {deadletters.ANOTHER: 2})
    assert statuses(kind) == {"queued": 11, "dead": 2}
    assert set(DeadLetter.objects.filter(resolution="retried").values_list("resolved_by", flat=True)) == {"болд"}
    assert its_job(bulk).result == "done"
    assert len(letters) == 12


def test_what_does_not_match_or_comes_later_is_not_touched(kind: Kind, make_kind: MakeKind) -> None:
    other = make_kind(batch_size=100, linger=0.0)
    bury(kind, *"abcdef")
    bury(other, "x")
    bulk = retry_all(kind)
    bury(kind, "later")

    work_off()

    assert counts(bulk) == ("done", 6, 0)
    assert {letter.subject for letter in deadletters.unsettled()} == {"x", "later"}


@pytest.mark.parametrize("action", [RETRY_JOBS, CANCEL_JOBS])
def test_jobs_are_walked_by_the_time_they_were_made_also_where_it_is_the_same(kind: Kind, action) -> None:
    status = Status.DEAD if action is RETRY_JOBS else Status.QUEUED
    moment = put(kind, "first", status).created_at
    for number in range(9):
        put(kind, f"s{number}", status, created_at=moment)
    put(kind, "no", Status.SUCCEEDED)

    bulk = begin(action, JobExecution.objects.filter(kind=kind.name))
    work_off()

    assert counts(bulk) == ("done", 10, 1)
    assert bulk.reasons == {"it is succeeded": 1}
    assert statuses(kind) == {"queued" if action is RETRY_JOBS else "cancelled": 10, "succeeded": 1}


def test_a_note_is_kept_with_each_letter_that_is_resolved(kind: Kind) -> None:
    bury(kind, *"abcdef")
    work_off() if begin(RESOLVE_LETTERS, deadletters.unsettled()) else None
    assert {(each.note, each.resolved_by) for each in DeadLetter.objects.all()} == {("the provider is back", "болд")}


def test_a_worker_that_dies_within_a_batch_leaves_no_trace_of_it_and_the_next_one_goes_on(
    kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    bury(kind, *[f"s{n}" for n in range(10)])
    bulk = retry_all(kind)
    update = work.next_after
    calls: list[int] = []

    def die(*args: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            raise SystemExit("kill -9, after the rows were changed and before the commit")
        return update(*args)

    monkeypatch.setattr(work, "next_after", die)
    with pytest.raises(SystemExit):
        work.turn(bulk.id)

    assert counts(bulk) == ("working", 4, 0)
    assert statuses(kind) == {"queued": 4, "dead": 6}
    assert work.turn(bulk.id) is None
    assert counts(bulk) == ("done", 10, 0)
    assert statuses(kind) == {"queued": 10}


def test_two_workers_at_one_bulk_action_share_its_rows(kind: Kind) -> None:
    bury(kind, *[f"s{n}" for n in range(40)])
    bulk = retry_all(kind)
    assert at_once(*[partial(work.turn, bulk.id)] * 3) == [None] * 3
    assert counts(bulk) == ("done", 40, 0)
    assert statuses(kind) == {"queued": 40}


def test_two_people_who_ask_for_the_same_change_each_row_once(kind: Kind) -> None:
    bury(kind, *[f"s{n}" for n in range(40)])
    letters = deadletters.unsettled()
    both = [begin(RETRY_LETTERS, letters), begin(RESOLVE_LETTERS, letters)]
    assert at_once(*[partial(work.turn, each.id) for each in both]) == [None] * 2
    assert [counts(each)[0] for each in both] == ["done", "done"]
    assert sum(each.done for each in both) == sum(each.skipped for each in both) == 40
    assert both[0].done == DeadLetter.objects.filter(resolution="retried").count() == statuses(kind).get("queued", 0)


def test_a_turn_ends_in_time_and_gives_its_thread_back_without_an_attempt(kind: Kind) -> None:
    bury(kind, *[f"s{n}" for n in range(10)])
    bulk = retry_all(kind)
    moments = iter([0.0, 1.0, work.TURN + 1])
    assert work.turn(bulk.id, elapsed=lambda: next(moments)) == 0.0
    assert counts(bulk) == ("working", 4, 0)
    work_off()
    assert counts(bulk) == ("done", 10, 0)
    assert (its_job(bulk).attempt, its_job(bulk).status) == (1, "succeeded")


def test_a_worker_that_is_told_to_stop_gives_the_job_back(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    bury(kind, "a")
    bulk = retry_all(kind)
    monkeypatch.setattr(work, "may_claim", lambda: False)
    assert work.turn(bulk.id) == 0.0
    assert counts(bulk) == ("waiting", 0, 0)


def test_a_stop_takes_effect_between_two_batches(kind: Kind, session) -> None:
    bury(kind, *[f"s{n}" for n in range(10)])
    bulk = retry_all(kind)
    worker, person = session(), session()
    worker.begin()
    worker.do(lambda: BulkAction.objects.select_for_update(no_key=True).get(id=bulk.id))
    stopping = person.start(stop, bulk.id, by="болд")
    until_blocked(stopping)
    worker.commit()

    assert stopping.result(20).state == "stopped"
    work_off()

    assert counts(bulk) == ("stopped", 0, 0)
    assert statuses(kind) == {"dead": 10}
    assert its_job(bulk).result == "stopped"
    with pytest.raises(StateConflict, match="stopped"):
        stop(bulk.id, by="болд")


def test_a_row_that_fails_is_skipped_and_stops_no_other(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    letters = bury(kind, *[f"s{n}" for n in range(10)])
    chunk = deadletters.retry_chunk

    def refuse(ids, *args):
        if letters[5].pk in ids:
            raise ValueError("a bad row")
        return chunk(ids, *args)

    monkeypatch.setattr(deadletters, "retry_chunk", refuse)
    bulk = retry_all(kind)
    work_off()
    assert counts(bulk) == ("done", 9, 1)
    assert bulk.reasons == {"it failed: ValueError": 1}
    assert deadletters.unsettled().get() == letters[5]


def test_the_log_has_one_entry_for_the_beginning_and_one_for_the_end(kind: Kind) -> None:
    user = User.objects.create_user("болд", is_staff=True)
    bury(kind, *[f"s{n}" for n in range(10)])
    bulk = retry_all(kind)
    work_off()
    entries = LogEntry.objects.filter(user=user, object_id=str(bulk.pk)).order_by("id")
    assert [entry.change_message for entry in entries] == [
        "retry_dead_letters asked for: 10 rows match: the provider is back",
        "retry_dead_letters done: 10 changed, 0 skipped",
    ]
    assert LogEntry.objects.count() == 2


def test_a_bulk_action_that_is_gone_fails_its_job_for_good(kind: Kind) -> None:
    bury(kind, "a")
    bulk = retry_all(kind)
    bulk_id = bulk.id
    BulkAction.objects.all().delete()
    work_off()
    job = JobExecution.objects.get(subject=str(bulk_id))
    assert (job.status, job.error_class) == ("dead", "not_found")


def test_an_action_that_nobody_declares_any_more_makes_it_fail_and_a_retry_goes_on(
    kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jobs.bulk.steer import settle

    bury(kind, "a")
    bulk = retry_all(kind)
    with monkeypatch.context() as patch:
        patch.setattr(actions, "_actions", {})
        for _ in range(4):
            work_off()
            hurry(bulk)
    assert its_job(bulk).status == "dead"
    assert settle() == 1
    assert counts(bulk) == ("failed", 0, 0)
    assert "unknown action" in bulk.error

    deadletters.retry_one(its_job(bulk).id, triggered_by="болд")
    work_off()
    assert counts(bulk) == ("done", 1, 0)
    assert bulk.error == ""
