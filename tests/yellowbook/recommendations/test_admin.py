"""Taste profiles in the admin: a list with states, a page with opinions and recommendations, and who may look."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from embeddings.standin.faults import Rule
from embeddings.standin.service import StandIn
from yellowbook.directory.models import Business
from yellowbook.operators import READERS
from yellowbook.recommendations import services
from yellowbook.recommendations.models import Opinion, TasteProfile

from .conftest import jobs, profile, work

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "admin:recommendations_tasteprofile_changelist"


def page(client: Client, shown: TasteProfile) -> str:
    response = client.get(reverse("admin:recommendations_tasteprofile_change", args=[shown.pk]))
    assert response.status_code == 200
    return response.content.decode()


def test_a_page_shows_answers_opinions_and_recommendations_with_reasons(
    admin_client: Client, user: User, businesses: dict[str, Business]
) -> None:
    services.complete(user, {"categories": ["Кафе"], "occasions": ["date"], "about": "кофе"})
    services.give_opinion(user, businesses["Номин"].pk, liked=True)
    work()
    text = page(admin_client, profile())
    for told in ("Кафе", "Date", "Номин", "Кофе Бин", "category: Кафе", "similar to what you like: Номин"):
        assert told in text
    assert "Embedded" in text
    assert user.username in text
    assert str(Opinion.objects.get()) not in text
    assert len(jobs()) == 1


def test_looking_at_a_profile_makes_no_job(admin_client: Client, user: User, standin: StandIn) -> None:
    TasteProfile.objects.create(user=user, text="кофе", completed_at="2026-01-01T00:00:00Z")
    assert "No job has been made for it." in page(admin_client, profile())
    assert jobs() == []


@pytest.mark.parametrize(
    ("fault", "state", "why"),
    [
        ("500", "Delayed", "it is tried again by itself"),
        ("400", "Failed", "change the answers"),
        ("key_invalid", "Failed", "asking for recommendations tries again"),
    ],
)
def test_list_and_page_say_where_a_profile_stands_and_why(
    admin_client: Client, user: User, standin: StandIn, fault: str, state: str, why: str
) -> None:
    services.complete(user, {"about": "кофе"})
    assert "waiting" in admin_client.get(reverse(LIST)).content.decode()
    assert "A job waits for a worker." in page(admin_client, profile())
    standin.faults.add(Rule(fault=fault))
    work()
    assert state.lower() in admin_client.get(reverse(LIST)).content.decode()
    text = page(admin_client, profile())
    assert state in text
    assert why in text


def test_what_is_not_completed_says_so(admin_client: Client, user: User) -> None:
    TasteProfile.objects.create(user=user)
    assert "incomplete" in admin_client.get(reverse(LIST)).content.decode()
    assert "The questionnaire is not completed." in page(admin_client, profile())


def test_reasons_are_in_the_readers_language(admin_client: Client, user: User, businesses: dict[str, Business]) -> None:
    services.complete(user, {"categories": ["Кафе"], "occasions": ["birthday"]})
    work()
    path = reverse("admin:recommendations_tasteprofile_change", args=[profile().pk])
    text = admin_client.get(path, headers={"Accept-Language": "mn"}).content.decode()
    assert "ангилал: Кафе" in text
    assert "зориулалт: Төрсөн өдөр" in text


def test_operators_look_and_nobody_edits(client: Client, user: User, standin: StandIn) -> None:
    services.complete(user, {"about": "кофе"})
    reader = User.objects.create_user("уншигч", is_staff=True)
    client.force_login(reader)
    path = reverse("admin:recommendations_tasteprofile_change", args=[profile().pk])
    assert client.get(path).status_code == 403
    reader.groups.add(Group.objects.get(name=READERS))
    assert client.get(path).status_code == 200
    assert client.post(path, {"about": "бууз"}).status_code == 403
    delete = reverse("admin:recommendations_tasteprofile_delete", args=[profile().pk])
    assert client.post(delete, {"post": "yes"}).status_code == 403
    assert profile().about == "кофе"


def test_a_list_takes_as_many_queries_for_many_as_for_one(admin_client: Client, standin: StandIn) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            assert admin_client.get(reverse(LIST)).status_code == 200
        return len(found)

    services.complete(User.objects.create_user("0"), {"about": "кофе"})
    queries()
    one = queries()
    for number in range(1, 6):
        services.complete(User.objects.create_user(str(number)), {"about": "кофе"})
    assert queries() == one


def test_a_user_is_deleted_in_the_admin_with_profile_and_opinions(
    admin_client: Client, user: User, businesses: dict[str, Business]
) -> None:
    services.complete(user, {"about": "кофе"})
    services.give_opinion(user, businesses["Номин"].pk, liked=True)
    path = reverse("admin:auth_user_delete", args=[user.pk])
    response: Any = admin_client.post(path, {"post": "yes"})
    assert response.status_code == 302, response.content.decode()
    assert not TasteProfile.objects.exists()
    assert not Opinion.objects.exists()
