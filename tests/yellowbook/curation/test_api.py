"""`/api/collections`."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from rest_framework.test import APIClient

from jobs.models import JobExecution
from tests.jobs.api.conftest import error_of
from yellowbook.curation.days import today
from yellowbook.curation.models import CollectionSet
from yellowbook.curation.parameters import Parameters
from yellowbook.curation.services import regenerate
from yellowbook.directory.services import update_business

from .support import enter, work, yesterday

pytestmark = pytest.mark.django_db(transaction=True)

ANEW = "/api/collections/regenerate"
SETS = "/api/collections/sets"


def test_before_there_are_any_it_says_so(visitor: APIClient) -> None:
    assert visitor.get("/api/collections").json() == {
        "surface": "home",
        "date": None,
        "is_todays": False,
        "made_at": None,
        "collections": [],
    }


def test_everybody_sees_todays_or_yesterdays(visitor: APIClient, directory: None) -> None:
    regenerate("discovery", yesterday(), Parameters())
    work()
    shown = visitor.get("/api/collections?surface=discovery").json()
    assert (shown["date"], shown["is_todays"]) == (str(yesterday()), False)
    regenerate("discovery", today(), Parameters(collections_count=2))
    work()
    shown = visitor.get("/api/collections?surface=discovery&x=").json()
    assert (shown["date"], shown["is_todays"]) == (str(today()), True)
    first, _ = shown["collections"]
    assert {"title_mn", "title_en"} < set(first)
    assert (first["titled_by"], first["theme"], len(first["businesses"])) == ("template", "cluster", 6)
    error_of(visitor.get("/api/collections?surface=moon"), 400)


def test_who_is_unpublished_is_gone_at_once(visitor: APIClient, directory: None) -> None:
    regenerate("home", today(), Parameters(collections_count=1))
    work()

    def names() -> list[UUID]:
        return [UUID(each["id"]) for each in visitor.get("/api/collections").json()["collections"][0]["businesses"]]

    first, *others = names()
    update_business(first, {"status": "unpublished"})
    assert names() == others
    for each in others:
        update_business(each, {"status": "unpublished"})
    assert visitor.get("/api/collections").json()["collections"] == []


def test_the_staff_has_them_made_anew(editor: APIClient, directory: None) -> None:
    filters = {"city": "Khatgal", "featured": False}
    given = {"surface": "home", "collections_count": 1, "businesses_per_collection": 3, "filters": filters}
    answer = editor.post(ANEW, given, format="json")
    assert answer.status_code == 202
    made = answer.json()
    assert made["set"]["parameters"] == {
        "collections_count": 1,
        "businesses_per_collection": 3,
        "filters": {"city": "Khatgal"},
    }
    assert (made["set"]["is_ready"], made["set"]["requested_by"], made["job"]["created"]) == (False, "tsetseg", True)
    assert editor.get(answer["Location"]).json()["state"] == "waiting"
    assert JobExecution.objects.get(pk=made["job"]["id"]).metadata["source"] == "api"
    work()
    shown = editor.get(answer["Location"]).json()
    assert (shown["state"], shown["is_ready"], shown["date"], shown["why"]) == ("ready", True, str(today()), "")
    assert [len(each["businesses"]) for each in shown["collections"]] == [3]
    again = editor.post(ANEW, {"surface": "home"}, format="json").json()
    assert again["set"]["id"] == shown["id"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"surface": "moon"}, "surface"),
        ({"surface": None}, "surface"),
        ({"date": "yesterday"}, "date"),
        ({"date": 20260101}, "date"),
        ({"date": "1999-01-01"}, "date"),
        ({"collections_count": 0}, "collections_count"),
        ({"collections_count": "3"}, "collections_count"),
        ({"businesses_per_collection": 31}, "businesses_per_collection"),
        ({"filters": {"price_level": 5}}, "filters"),
        ({"filters": {"category": ""}}, "filters"),
        ({"filters": {"city": "a\u0000b"}}, "filters"),
        ({"filters": {"featured": 1}}, "filters"),
        ({"filters": []}, "filters"),
    ],
)
def test_what_can_not_be_is_refused_and_nothing_written(editor: APIClient, changes: Any, field: str) -> None:
    error = error_of(editor.post(ANEW, {"surface": "home", **changes}, format="json"), 400)
    assert list(error["fields"]) == [field]
    assert not CollectionSet.objects.exists()
    assert not JobExecution.objects.exists()


def test_only_the_staff_may_and_sees_sets(visitor: APIClient, editor: APIClient, directory: None) -> None:
    error_of(visitor.post(ANEW, {"surface": "home"}, format="json"), 401)
    error_of(visitor.get(SETS), 401)
    error_of(visitor.get(f"{SETS}/{uuid4()}"), 401)
    error_of(editor.get(f"{SETS}/{uuid4()}"), 404)


def test_sets_are_listed_and_narrowed(editor: APIClient, db: None, django_assert_num_queries: Any) -> None:
    for surface in ("home", "discovery"):
        for days in range(3):
            regenerate(surface, today() - timedelta(days=days), Parameters())
    with django_assert_num_queries(1):
        rows = editor.get(SETS).json()["results"]
    assert [row["date"] for row in rows] == sorted((row["date"] for row in rows), reverse=True)
    assert len(rows) == 6
    assert len(editor.get(f"{SETS}?surface=home&date={today()}").json()["results"]) == 1
    error_of(editor.get(f"{SETS}?surface=moon"), 400)
    error_of(editor.get(f"{SETS}?date=01/02/2026"), 400)
    first = editor.get(f"{SETS}?page_size=4").json()
    assert len(editor.get(first["next"]).json()["results"]) == 2


def test_what_a_surface_shows_costs_the_same_queries_for_any_length(
    visitor: APIClient, django_assert_num_queries: Any
) -> None:
    for direction in range(6):
        enter(direction, 8, category=f"Ангилал {direction}")
    regenerate("home", today(), Parameters())
    work()
    with django_assert_num_queries(3):
        assert len(visitor.get("/api/collections").json()["collections"]) == 6
