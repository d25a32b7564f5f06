"""`/api/admin/notifications`."""

from uuid import uuid4

import pytest
from django.contrib.auth.models import Group, User
from rest_framework.test import APIClient

from tests.jobs.api.conftest import api, error_of, staff, token  # noqa: F401
from yellowbook.notifications.models import Delivery
from yellowbook.notifications.owners import Recipient

from .conftest import SECRET, SELLER, Receiver
from .support import EVENT, PAYLOAD, again, job_of, run, tell

pytestmark = pytest.mark.django_db

PATH = "/api/admin/notifications"


@pytest.fixture
def operator(api: APIClient, staff: User) -> APIClient:  # noqa: F811
    """Somebody of the staff who may send again."""
    staff.groups.add(Group.objects.get(name="Operators"))
    return api


def test_it_lists_deliveries_the_newest_first_page_by_page(api: APIClient, receiver: Receiver) -> None:  # noqa: F811
    made = [str(tell().pk) for _ in range(3)]
    first = api.get(PATH, {"page_size": 2}).json()
    second = api.get(first["next"]).json()
    assert [each["id"] for each in first["results"] + second["results"]] == made[::-1]
    assert second["next"] is None
    assert "payload" not in first["results"][0]


def test_it_filters(api: APIClient, receiver: Receiver, sellers: dict[str, Recipient]) -> None:  # noqa: F811
    receiver.answer(410)
    failed = tell()
    run()
    sellers["b"] = Recipient(webhook_url=receiver.url, secret=SECRET)
    other = tell(owner="seller:b")
    Delivery.objects.filter(pk=other.pk).update(event="shop.closed")
    for name, value in [("state", "failed"), ("event", EVENT), ("owner", SELLER)]:
        assert [each["id"] for each in api.get(PATH, {name: value}).json()["results"]] == [str(failed.pk)], name
    assert len(api.get(PATH, {"channel": "webhook"}).json()["results"]) == 2
    assert api.get(PATH, {"since": "2100-01-01T00:00:00Z"}).json()["results"] == []
    for name in ("state", "channel", "since"):
        error_of(api.get(PATH, {name: "nonsense"}), 400)


def test_the_list_costs_the_same_queries_for_any_length(
    api: APIClient,  # noqa: F811
    receiver: Receiver,
    django_assert_max_num_queries,
) -> None:
    for _ in range(30):
        tell()
    with django_assert_max_num_queries(3):
        api.get(PATH)


def test_it_shows_one_with_its_message_and_every_attempt(api: APIClient, receiver: Receiver) -> None:  # noqa: F811
    told = tell()
    receiver.answer(503, body=b"later")
    run()
    response = api.get(f"{PATH}/{told.pk}")
    shown = response.json()
    assert (shown["event"], shown["owner"], shown["state"], shown["payload"]) == (EVENT, SELLER, "waiting", PAYLOAD)
    assert (shown["subject"], shown["body"], shown["last_answer"]) == ("Approved", "Сайн байна уу", "later")
    (attempt,) = shown["log"]
    assert (attempt["number"], attempt["status"], attempt["error"]) == (1, 503, "The receiver answered 503.")
    assert SECRET not in response.content.decode()
    error_of(api.get(f"{PATH}/{uuid4()}"), 404)


def test_an_operator_sends_again(operator: APIClient, staff: User, receiver: Receiver) -> None:  # noqa: F811
    told = tell()
    run()
    response = operator.post(f"{PATH}/{told.pk}/replay")
    assert response.status_code == 202
    shown = response.json()
    assert (shown["repeats"], shown["state"], shown["log"]) == (str(told.pk), "waiting", [])
    assert response["Location"] == f"{PATH}/{shown['id']}"
    repeated = Delivery.objects.get(pk=shown["id"])
    assert job_of(repeated).metadata["triggered_by"] == staff.username
    run()
    assert again(repeated).state == "sent"
    error_of(operator.post(f"{PATH}/{uuid4()}/replay"), 404)


def test_the_read_only_group_sends_nothing(api: APIClient, staff: User, receiver: Receiver) -> None:  # noqa: F811
    told = tell()
    staff.groups.add(Group.objects.get(name="Operators (read only)"))
    error_of(api.post(f"{PATH}/{told.pk}/replay"), 403)
    assert Delivery.objects.count() == 1


def test_it_is_for_staff(client, receiver: Receiver) -> None:
    told = tell()
    for response in (client.get(PATH), client.get(f"{PATH}/{told.pk}"), client.post(f"{PATH}/{told.pk}/replay")):
        error_of(response, 401)
