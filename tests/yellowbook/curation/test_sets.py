"""A set for each surface and day: made once, on schedule, by clusters."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from embeddings.blocks import as_uuids
from jobs.kinds import get_kind
from jobs.lifecycle import claim
from jobs.models import JobExecution, PeriodicTask
from jobs.periodic import declared, start_due
from jobs.states import Priority
from yellowbook.curation import candidates
from yellowbook.curation.models import CollectionItem, CollectionSet
from yellowbook.curation.names import CURATE_COLLECTIONS, PLAN_COLLECTIONS
from yellowbook.curation.services import plan_day
from yellowbook.curation.surfaces import SURFACES
from yellowbook.directory.models import Business
from yellowbook.directory.selectors import published

from .support import jobs, let_the_day_come, members, set_of, the_day, titles, work

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_is_due_at_two_in_the_morning() -> None:
    (found,) = [each for each in declared() if each.kind == PLAN_COLLECTIONS]
    assert str(found.schedule) == "every day at 02:00 UTC"


def test_when_the_day_comes_every_surface_gets_its_set(directory: None, settings: Any) -> None:
    settings.CURATION_COLLECTIONS = 3
    let_the_day_come()
    assert work() == ["curated"] * len(SURFACES)
    assert sorted(CollectionSet.objects.values_list("surface", "date")) == sorted(
        (each, the_day()) for each in SURFACES
    )
    assert {(job.priority, job.max_retries) for job in jobs()} == {(Priority.LOW, 4)}
    row = set_of()
    assert sorted(titles(row)) == ["Hotel in Khatgal", "Автозасвар in Дархан", "Ресторан in Улаанбаатар"]
    assert [len(each) for each in members(row)] == [6, 6, 6]
    assert [len({business.category for business in each}) for each in members(row)] == [1, 1, 1]


def test_who_plans_again_makes_nothing_more(directory: None) -> None:
    let_the_day_come()
    plan_day(the_day())
    work()
    before = list(CollectionItem.objects.order_by("pk").values_list("pk", flat=True))
    assert plan_day(the_day()) == []
    let_the_day_come()
    assert work() == ["curated"] * len(SURFACES)
    assert list(CollectionItem.objects.order_by("pk").values_list("pk", flat=True)) == before


def test_a_set_that_is_being_made_gets_no_second_job(directory: None) -> None:
    plan_day(the_day())
    assert claim(get_kind(CURATE_COLLECTIONS), worker="w1") is not None
    assert plan_day(the_day()) == []
    assert jobs().count() == len(SURFACES)


def test_days_that_nobody_was_there_for_are_made_good_once_by_the_newest(directory: None) -> None:
    let_the_day_come(days_late=3)
    start_due()
    assert JobExecution.objects.filter(kind=PLAN_COLLECTIONS).count() == 1
    work()
    assert set(CollectionSet.objects.values_list("date", flat=True)) == {the_day()}
    task = PeriodicTask.objects.get(name=PLAN_COLLECTIONS)
    assert task.missed == 1
    assert task.next_due_at.date() == the_day() + timedelta(days=1)


def test_the_same_businesses_make_the_same_set(directory: None) -> None:
    plan_day(the_day())
    work()
    first = [[each.pk for each in of_one] for of_one in members(set_of())]
    CollectionSet.objects.all().delete()
    plan_day(the_day())
    work()
    assert [[each.pk for each in of_one] for of_one in members(set_of())] == first


def test_with_a_sample_it_is_the_same_set_again_and_everybody_has_a_cluster(
    directory: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    everybody = published()
    monkeypatch.setattr(candidates, "SAMPLE", everybody.count() // 2)
    first, second = (
        candidates.clusters(everybody, 3, of_about=1, surface=SURFACES["home"], day=the_day()) for _ in range(2)
    )
    assert sorted(as_uuids(first.ids)) == sorted(everybody.values_list("pk", flat=True))
    assert as_uuids(second.ids) == as_uuids(first.ids)
    assert second.labels.tolist() == first.labels.tolist()


def test_the_database_lets_no_business_be_twice_on_a_surface(directory: None) -> None:
    plan_day(the_day())
    work()
    row = set_of()
    one, other = row.collections.order_by("position")[:2]
    double = CollectionItem(collection=one, collection_set=row, position=99, business=other.items.first().business)
    with pytest.raises(IntegrityError, match="curation_item_business_once_a_set"), transaction.atomic():
        double.save()


def test_a_deleted_business_is_gone_from_its_collection_at_once(directory: None) -> None:
    plan_day(the_day())
    work()
    first = members(set_of())[0][0]
    Business.objects.get(pk=first.pk).delete()
    assert first.pk not in {each.pk for of_one in members(set_of()) for each in of_one}


def test_an_empty_directory_has_empty_sets(db: None) -> None:
    plan_day(the_day())
    assert work() == ["curated"] * len(SURFACES)
    assert titles(set_of()) == []
