"""`/api/taste-profile`: one's own answers and opinions."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from model_bakery import baker
from rest_framework.test import APIClient

from jobs.models import JobExecution
from tests.jobs.support import NOBODY
from yellowbook.directory.models import Business
from yellowbook.recommendations.models import Opinion, TasteProfile
from yellowbook.recommendations.services import MOST_OPINIONS

from .conftest import OPINIONS, PROFILE, RECOMMENDATIONS, client_of, jobs, profile

pytestmark = pytest.mark.django_db


@pytest.fixture
def cafe(db: None) -> Business:
    """A published business."""
    return Business.objects.create(name="Кофе Бин", category="Кафе", address="х", city="Дархан")


def test_a_questionnaire_is_completed_changed_shown_and_deleted(mine: APIClient, cafe: Business) -> None:
    given = {"categories": ["Кафе", "Кафе"], "price_levels": [3, 1, 3], "cities": ["Дархан"], "about": " тайван "}
    saved = mine.put(PROFILE, {**given, "occasions": ["date"]})
    assert saved.status_code == 201
    shown = saved.json()
    assert (shown["categories"], shown["price_levels"], shown["about"]) == (["Кафе"], [1, 3], "тайван")
    assert (shown["embedding"]["state"], shown["embedding"]["job_id"]) == ("waiting", str(jobs()[0].pk))
    assert jobs()[0].priority == 0

    changed = mine.patch(PROFILE, {"price_levels": []}).json()
    assert changed == {**shown, "price_levels": [], "updated_at": changed["updated_at"]}
    assert mine.get(PROFILE).json() == changed
    again = mine.put(PROFILE, {"about": "бууз"})
    assert (again.status_code, again.json()["categories"], again.json()["about"]) == (200, [], "бууз")
    assert mine.delete(PROFILE).status_code == 204
    assert [job.status for job in jobs()] == ["cancelled"]
    assert not TasteProfile.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("categories", ["Байхгүй"]),
        ("categories", "Кафе"),
        ("categories", [7]),
        ("categories", ["Кафе"] * 21),
        ("cities", ["Атлантис"]),
        ("price_levels", [0]),
        ("price_levels", [5]),
        ("price_levels", ["1"]),
        ("occasions", ["doomsday"]),
        ("occasions", [None]),
        ("about", "x" * 2001),
        ("about", 7),
        ("about", "\x00"),
        ("about", None),
    ],
)
def test_a_wrong_answer_is_told_by_field_and_nothing_is_stored(
    mine: APIClient, cafe: Business, field: str, value: Any
) -> None:
    for ask in (mine.put, mine.patch):
        response = ask(PROFILE, {"about": "кофе", field: value})
        assert (response.status_code, list(response.json()["error"]["fields"])) == (400, [field])
    assert not TasteProfile.objects.exists()
    assert jobs() == []


def test_a_questionnaire_that_says_nothing_is_refused_and_leaves_what_was_there(mine: APIClient) -> None:
    response = mine.put(PROFILE, {"price_levels": [1]})
    assert response.status_code == 400
    assert "Give a category or an occasion" in str(response.json())
    assert not TasteProfile.objects.exists()
    mine.put(PROFILE, {"about": "кофе"})
    assert mine.patch(PROFILE, {"about": " "}).status_code == 400
    assert profile().about == "кофе"


def test_without_a_profile_the_next_step_is_named(mine: APIClient) -> None:
    for response in (mine.get(PROFILE), mine.patch(PROFILE, {}), mine.delete(PROFILE)):
        assert response.status_code == 404
        assert "PUT /api/taste-profile" in response.json()["error"]["message"]
    response = mine.get(RECOMMENDATIONS)
    assert (response.status_code, response.json()["error"]["code"]) == (409, "conflict")
    assert "PUT /api/taste-profile" in response.json()["error"]["message"]


def test_opinions_come_before_the_questionnaire_if_need_be(mine: APIClient, cafe: Business) -> None:
    assert mine.put(f"{OPINIONS}/{cafe.pk}", {"liked": True}).status_code == 201
    again = mine.put(f"{OPINIONS}/{cafe.pk}", {"liked": False})
    assert (again.status_code, again.json()["liked"]) == (200, False)
    assert [each["business_id"] for each in mine.get(OPINIONS).json()["results"]] == [str(cafe.pk)]

    shown = mine.get(PROFILE).json()
    assert (shown["completed_at"], shown["embedding"]["state"]) == (None, "incomplete")
    assert mine.get(RECOMMENDATIONS).status_code == 409
    drafted = mine.patch(PROFILE, {"about": "кофе"})
    assert (drafted.status_code, drafted.json()["embedding"]["state"]) == (200, "incomplete")
    assert jobs() == []
    assert mine.put(PROFILE, {"about": "кофе"}).status_code == 200
    assert len(jobs()) == 1

    assert mine.delete(f"{OPINIONS}/{cafe.pk}").status_code == 204
    assert mine.delete(f"{OPINIONS}/{cafe.pk}").status_code == 404


@pytest.mark.parametrize("body", [{}, {"liked": None}, {"liked": "yes"}, {"liked": 1}])
def test_an_opinion_is_yes_or_no(mine: APIClient, cafe: Business, body: dict[str, Any]) -> None:
    assert mine.put(f"{OPINIONS}/{cafe.pk}", body).status_code == 400
    assert not Opinion.objects.exists()


def test_an_opinion_is_of_a_business_that_everybody_may_see(mine: APIClient, cafe: Business) -> None:
    Business.objects.filter(pk=cafe.pk).update(status="draft")
    for strange in (cafe.pk, NOBODY, "x"):
        assert mine.put(f"{OPINIONS}/{strange}", {"liked": True}).status_code == 404
        assert mine.delete(f"{OPINIONS}/{strange}").status_code == 404
    assert not TasteProfile.objects.exists()


def test_there_are_only_so_many_opinions(mine: APIClient, user: User, cafe: Business) -> None:
    owner = TasteProfile.objects.create(user=user)
    others = Business.objects.bulk_create(
        Business(name=str(number), category="Кафе", address="х") for number in range(MOST_OPINIONS)
    )
    Opinion.objects.bulk_create(Opinion(profile=owner, business=each, liked=True) for each in others)
    assert mine.put(f"{OPINIONS}/{cafe.pk}", {"liked": True}).status_code == 409
    assert mine.put(f"{OPINIONS}/{others[0].pk}", {"liked": False}).status_code == 200


def test_nobody_sees_what_is_anothers_nor_does_anybody_without_a_token(mine: APIClient, cafe: Business) -> None:
    mine.put(PROFILE, {"about": "кофе"})
    mine.put(f"{OPINIONS}/{cafe.pk}", {"liked": True})
    other = client_of(User.objects.create_user("дорж", is_staff=True))
    assert other.get(PROFILE).status_code == 404
    assert other.get(OPINIONS).json()["results"] == []
    assert other.delete(f"{OPINIONS}/{cafe.pk}").status_code == 404
    for path in (PROFILE, f"{PROFILE}/questions", OPINIONS, f"{OPINIONS}/{cafe.pk}", RECOMMENDATIONS):
        assert APIClient().get(path).status_code == 401


def test_the_questionnaire_offers_what_published_businesses_have(mine: APIClient, cafe: Business) -> None:
    baker.make(Business, name="A", category="Нууц", address="х", city="Нууц", status="draft")
    baker.make(Business, name="B", category="Бар", address="х", city="")
    offered = mine.get(f"{PROFILE}/questions").json()
    assert (offered["categories"], offered["cities"]) == (["Бар", "Кафе"], ["Дархан"])
    assert offered["price_levels"] == [1, 2, 3, 4]
    assert {"name": "wedding", "label_mn": "Хурим", "label_en": "Wedding"} in offered["occasions"]


def test_a_deleted_business_takes_opinions_of_it_along(mine: APIClient, cafe: Business) -> None:
    mine.put(f"{OPINIONS}/{cafe.pk}", {"liked": True})
    cafe.delete()
    assert not Opinion.objects.exists()


def test_a_list_of_opinions_takes_as_many_queries_as_one(mine: APIClient, user: User, cafe: Business) -> None:
    owner = TasteProfile.objects.create(user=user)
    Opinion.objects.create(profile=owner, business=cafe, liked=True)
    with CaptureQueriesContext(connection) as one:
        mine.get(OPINIONS)
    for number in range(5):
        another = baker.make(Business, name=str(number), category="Кафе", address="х")
        Opinion.objects.create(profile=owner, business=another, liked=False)
    with CaptureQueriesContext(connection) as six:
        assert len(mine.get(OPINIONS).json()["results"]) == 6
    assert len(six) == len(one)


def test_a_job_names_its_owner_by_no_name(mine: APIClient) -> None:
    mine.put(PROFILE, {"about": "кофе"})
    job = JobExecution.objects.get()
    assert job.metadata["triggered_by"] == "owner of the profile"
    assert job.subject == str(profile().pk)
