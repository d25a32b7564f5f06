"""Having a set made anew: readers see the old one or the new one, and the last request wins."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from jobs.batch import Batch, Trail
from jobs.budget import Budget
from jobs.kinds import get_kind
from jobs.lifecycle import cancel, claim, finish
from jobs.models import DeadLetter, JobExecution, Lane
from jobs.upkeep.audit import invariants
from tests.concurrency import at_once
from tests.jobs.support import make_due
from yellowbook.curation import handler
from yellowbook.curation.making import make
from yellowbook.curation.models import CollectionItem, CollectionSet
from yellowbook.curation.names import CURATE_COLLECTIONS
from yellowbook.curation.parameters import Narrowed, Parameters
from yellowbook.curation.retention import delete_sets
from yellowbook.curation.selectors import State, collections_of, current_sets, standing_of
from yellowbook.curation.services import plan_day, regenerate
from yellowbook.curation.surfaces import HOME, SURFACES
from yellowbook.directory.models import Business

from .support import jobs, members, set_of, the_day, titles, work, yesterday

pytestmark = pytest.mark.django_db(transaction=True)

SMALL = Parameters(collections_count=2, businesses_per_collection=4, filters=Narrowed(category="Hotel"))


def standing() -> tuple[str, str]:
    found = standing_of(set_of())
    return found.state, found.why


def test_it_is_made_with_other_numbers_and_filters(directory: None) -> None:
    plan_day(the_day())
    work()
    before = members(set_of())
    made = regenerate(HOME, the_day(), SMALL)
    assert (made.job.created, members(set_of())) == (True, before)
    assert work()[-1] == "curated"
    row = set_of()
    assert [len(each) for each in members(row)] == [4, 4]
    assert {business.category for each in members(row) for business in each} == {"Hotel"}
    assert row.parameters == {
        "collections_count": 2,
        "businesses_per_collection": 4,
        "filters": {"category": "Hotel"},
    }
    assert (row.wanted, row.made) == (2, 2)


def test_several_requests_make_one_job_which_knows_the_last(directory: None) -> None:
    for number in (1, 2, 3):
        regenerate(HOME, the_day(), Parameters(collections_count=number))
    assert work() == ["curated"]
    assert len(titles(set_of())) == 3


def test_what_was_made_for_an_earlier_request_is_thrown_away(directory: None, monkeypatch: pytest.MonkeyPatch) -> None:
    regenerate(HOME, the_day(), Parameters(collections_count=1))

    def slow(*args: Any, **kwargs: Any) -> Any:
        monkeypatch.undo()
        draft = make(*args, **kwargs)
        regenerate(HOME, the_day(), Parameters(collections_count=2))
        return draft

    monkeypatch.setattr(handler, "make", slow)
    assert work() == ["superseded", "curated"]
    assert len(titles(set_of())) == 2


def test_a_worker_that_lost_its_job_stores_nothing(directory: None) -> None:
    regenerate(HOME, the_day(), Parameters())
    kind = get_kind(CURATE_COLLECTIONS)
    claimed = claim(kind, worker="w1")
    assert claimed is not None
    JobExecution.objects.update(status="queued", lease_id=None, worker="", started_at=None)
    batch = Batch(claimed, Trail(claimed.lease_id), Budget(None, None))
    handler.curate(batch)
    finish(claimed, batch.outcomes, steps=[], write=batch.write)
    assert not CollectionItem.objects.exists()
    assert work() == ["curated"]


def test_a_job_that_is_repeated_finds_nothing_to_do(directory: None) -> None:
    row = regenerate(HOME, the_day(), Parameters()).collection_set
    work()
    JobExecution.objects.filter(subject=str(row.pk)).update(status="queued", finished_at=None)
    assert work() == ["unchanged"]


def test_requests_at_once_make_one_set_of_each_surface(directory: None) -> None:
    at_once(*[lambda: plan_day(the_day())] * 2, *[lambda: regenerate(HOME, the_day(), Parameters())] * 2)
    assert CollectionSet.objects.count() == len(SURFACES)
    assert jobs().count() == len(SURFACES)
    assert work() == ["curated"] * len(SURFACES)


def test_who_was_unpublished_meanwhile_is_left_out(directory: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*args: Any, **kwargs: Any) -> Any:
        draft = make(*args, **kwargs)
        Business.objects.filter(category="Hotel").delete()
        Business.objects.filter(category="Ресторан").update(status="unpublished")
        return draft

    monkeypatch.setattr(handler, "make", slow)
    regenerate(HOME, the_day(), Parameters())
    assert work() == ["curated"]
    assert {business.category for each in members(set_of()) for business in each} == {"Автозасвар"}


def test_yesterdays_are_shown_until_todays_are_made_and_older_ones_never(directory: None) -> None:
    today = yesterday() + timedelta(days=1)
    for day in (yesterday() - timedelta(days=1), today + timedelta(days=1)):
        regenerate(HOME, day, Parameters())
    work()
    assert list(current_sets(HOME)) == []
    regenerate(HOME, yesterday(), Parameters())
    work()
    regenerate(HOME, today, Parameters())
    assert current_sets(HOME)[0].date == yesterday()
    work()
    assert current_sets(HOME)[0].date == today
    assert len(collections_of(current_sets(HOME))) > 1


def test_a_set_says_where_it_stands(directory: None) -> None:
    row = regenerate(HOME, the_day(), Parameters()).collection_set
    assert standing() == (State.WAITING, "A job waits for a worker.")
    Lane.objects.update_or_create(kind=CURATE_COLLECTIONS, defaults={"paused_at": row.created_at})
    assert standing() == (State.DELAYED, "Its lane is paused.")
    Lane.objects.all().delete()
    work()
    assert standing() == (State.READY, "")
    regenerate(HOME, the_day(), Parameters())
    cancel(jobs().last().pk, by="оператор")
    assert standing() == (State.DELAYED, "Its job was called off.")


def test_five_attempts_then_a_dead_letter_while_readers_see_what_there_was(
    directory: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    regenerate(HOME, the_day(), Parameters())
    work()
    before = members(set_of())
    tries: list[int] = []

    def broken(*args: Any, **kwargs: Any) -> Any:
        tries.append(1)
        raise OSError("out of order")

    monkeypatch.setattr(handler, "make", broken)
    regenerate(HOME, the_day(), SMALL)
    work()
    assert standing() == (State.DELAYED, "The last attempt failed; it is tried again by itself.")
    while waiting := list(jobs().filter(status="retrying")):
        make_due(*waiting)
        work()
    assert (len(tries), DeadLetter.objects.count()) == (5, 1)
    assert standing() == (State.DELAYED, "It failed for good; somebody has to retry it.")
    assert members(set_of()) == before


def test_the_audit_finds_a_set_without_a_job_and_mends_it(directory: None) -> None:
    (invariant,) = [each for each in invariants() if each.name == "wanted_collections_have_job"]
    regenerate(HOME, the_day(), Parameters())
    assert invariant.find(10).count == 0
    cancel(jobs().get().pk, by="оператор")
    assert invariant.find(10).count == 1
    assert invariant.repair is not None
    assert invariant.repair() == 1
    assert invariant.find(10).count == 0
    assert work()[-1] == "curated"


def test_old_sets_are_deleted_with_their_collections(directory: None) -> None:
    regenerate(HOME, the_day(), Parameters())
    regenerate(HOME, yesterday() - timedelta(days=20), Parameters())
    work()
    assert delete_sets(10 * 86_400, 100) == 1
    assert set(CollectionSet.objects.values_list("date", flat=True)) == {the_day()}
    assert set(CollectionItem.objects.values_list("collection_set__date", flat=True)) == {the_day()}


def test_no_transaction_is_open_while_a_set_is_made(directory: None, monkeypatch: pytest.MonkeyPatch) -> None:
    open_ones: list[bool] = []

    def watched(*args: Any, **kwargs: Any) -> Any:
        open_ones.append(connection.in_atomic_block)
        return make(*args, **kwargs)

    monkeypatch.setattr(handler, "make", watched)
    regenerate(HOME, the_day(), Parameters())
    work()
    assert open_ones == [False]
