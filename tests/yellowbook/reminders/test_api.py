"""`/api/reminders`: one's own occasions, reminders and browsers."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from knox.models import AuthToken
from model_bakery import baker
from rest_framework.test import APIClient

from tests.jobs.api.conftest import api, error_of, staff, token  # noqa: F401
from tests.jobs.support import NOBODY
from tests.yellowbook.notifications.conftest import Post
from yellowbook.directory.models import Business
from yellowbook.reminders.models import Occasion, PushSubscription, Schedule
from yellowbook.reminders.services import MOST_BROWSERS
from yellowbook.reminders.vapid import public_key

from .conftest import Browser, PushService
from .support import in_days, make_all_due, occasion, states, work

pytestmark = pytest.mark.django_db

OCCASIONS = "/api/reminders/occasions"
SCHEDULES = "/api/reminders/schedules"
BROWSERS = "/api/reminders/push-subscriptions"


@pytest.fixture
def mine(owner: User) -> APIClient:
    """The API as the owner uses it, who is no staff."""
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {AuthToken.objects.create(owner)[1]}")
    return client


def given(**changes: Any) -> dict[str, Any]:
    """Return what makes an occasion."""
    made = {"title": "Наадам", "date": str(in_days(10)), "time": "09:00", "time_zone": "Asia/Ulaanbaatar"}
    return {**made, **changes}


def test_an_occasion_is_added_changed_and_deleted_with_its_reminders(mine: APIClient) -> None:
    business = baker.make(Business, name="A", category="B", address="C")
    response = mine.post(OCCASIONS, given(business_id=str(business.pk)))
    assert response.status_code == 201
    made = response.json()
    assert (made["owner"], made["time"], made["offsets"]) == ("сараа", "09:00", [-7, -3, -1])
    assert (made["channels"], made["recurrence"], made["business_id"]) == (["push", "email"], "none", str(business.pk))
    assert len(states()) == 6

    changed = mine.patch(f"{OCCASIONS}/{made['id']}", {"offsets": [-1, -1], "channels": ["email"]}).json()
    assert (changed["offsets"], changed["channels"]) == ([-1], ["email"])
    assert sorted(states().values()) == ["cancelled"] * 5 + ["waiting"]

    assert mine.get(f"{OCCASIONS}/{made['id']}").json() == changed
    assert mine.delete(f"{OCCASIONS}/{made['id']}").status_code == 204
    assert states() == {}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""),
        ("title", 7),
        ("date", "2026-02-30"),
        ("date", "1899-12-31"),
        ("date", "2200-01-01"),
        ("date", 20260101),
        ("time", "24:00"),
        ("time", "9:00"),
        ("time", 9),
        ("time_zone", "Mars/Olympus"),
        ("time_zone", "../../etc/passwd"),
        ("recurrence", "daily"),
        ("recurrence", None),
        ("offsets", []),
        ("offsets", [1]),
        ("offsets", [-31]),
        ("offsets", ["-1"]),
        ("offsets", [-1] * 11),
        ("channels", []),
        ("channels", ["sms"]),
        ("channels", "email"),
        ("business_id", str(NOBODY)),
    ],
)
def test_bad_input_is_named_and_nothing_is_stored(mine: APIClient, field: str, value: Any) -> None:
    error = error_of(mine.post(OCCASIONS, given(**{field: value})), 400)
    assert list(error["fields"]) == [field]
    assert not Occasion.objects.exists()


def test_everybody_sees_their_own_and_staff_all(mine: APIClient, api: APIClient, staff: User, owner: User) -> None:  # noqa: F811
    own, other = occasion(owner), occasion(staff)
    for path, count in ((OCCASIONS, 1), (SCHEDULES, 1)):
        assert len(mine.get(path).json()["results"]) == count
        assert len(api.get(path).json()["results"]) == 2
    assert mine.get(f"{OCCASIONS}/{own.pk}").status_code == 200
    for call in (mine.get, mine.delete):
        error_of(call(f"{OCCASIONS}/{other.pk}"), 404)
    error_of(mine.patch(f"{OCCASIONS}/{other.pk}", {"title": "x"}), 404)
    assert api.patch(f"{OCCASIONS}/{own.pk}", {"title": "x"}).json()["owner"] == owner.username


def test_it_is_for_users(client) -> None:
    for path in (OCCASIONS, SCHEDULES, BROWSERS, "/api/reminders/push-key"):
        error_of(client.get(path), 401)


def test_reminders_say_where_they_stand(mine: APIClient, owner: User, post: Post, settings: Any) -> None:
    made = occasion(owner, offsets=[-3, -1])
    shown = mine.get(SCHEDULES, {"occasion_id": str(made.pk)}).json()["results"]
    assert [(each["offset"], each["state"], each["delivery"]) for each in shown] == [
        (-1, "waiting", None),
        (-3, "waiting", None),
    ]
    settings.EMAIL_PORT = 1
    make_all_due()
    work()
    shown = mine.get(SCHEDULES, {"state": "delayed"}).json()["results"]
    assert [each["delivery"]["attempts"] for each in shown] == [1, 1]
    assert shown[0]["reason"].startswith("The mail server was not reached")
    error_of(mine.get(SCHEDULES, {"state": "nonsense"}), 400)


def test_the_lists_cost_the_same_queries_for_any_length(
    mine: APIClient, owner: User, django_assert_max_num_queries: Any
) -> None:
    for _ in range(5):
        occasion(owner, offsets=[-7, -3, -1])
    for path in (OCCASIONS, SCHEDULES):
        with django_assert_max_num_queries(4):
            mine.get(path)


def test_a_browser_subscribes_with_our_key_and_nothing_of_it_is_shown(
    mine: APIClient, owner: User, push_service: PushService
) -> None:
    assert mine.get("/api/reminders/push-key").json() == {"public_key": public_key()}
    given = {"endpoint": push_service.endpoint("phone"), **Browser().keys}
    response = mine.post(BROWSERS, given)
    assert response.status_code == 201
    made = response.json()
    assert set(made) == {"id", "owner", "service", "created_at"}
    assert made["service"] == "127.0.0.1"

    fresh = {**given, **Browser().keys}
    assert mine.post(BROWSERS, fresh).json()["id"] == made["id"]
    assert PushSubscription.objects.get().p256dh == fresh["p256dh"]
    assert len(mine.get(BROWSERS).json()["results"]) == 1
    assert mine.delete(f"{BROWSERS}/{made['id']}").status_code == 204
    assert not PushSubscription.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("endpoint", "ftp://push.example.com/x"),
        ("endpoint", "https://user:password@push.example.com/x"),
        ("p256dh", "AAAA"),
        ("p256dh", "ы"),
        ("auth", "AAAA"),
        ("auth", "A"),
    ],
)
def test_what_nothing_could_be_sent_to_is_refused(
    mine: APIClient, push_service: PushService, field: str, value: str
) -> None:
    given = {"endpoint": push_service.endpoint("phone"), **Browser().keys, field: value}
    assert list(error_of(mine.post(BROWSERS, given), 400)["fields"]) == [field]


@pytest.mark.parametrize("endpoint", ["http://push.example.com/x", "https://push.example.com:22/x"])
def test_endpoints_are_of_the_web_and_under_https(
    mine: APIClient, push_service: PushService, settings: Any, endpoint: str
) -> None:
    settings.CATALOGUE_ALLOW_PRIVATE = False
    error_of(mine.post(BROWSERS, {"endpoint": endpoint, **Browser().keys}), 400)


def test_a_private_address_is_not_sent_to(owner: User, push_service: PushService, settings: Any) -> None:
    settings.CATALOGUE_ALLOW_PRIVATE = False
    endpoint = "https://127.0.0.1:8443/x"
    PushSubscription.objects.create(owner=owner, endpoint=endpoint, **Browser().keys)
    occasion(owner, channels=["push"])
    make_all_due()
    work()
    assert (Schedule.objects.get().state, "no public address" in Schedule.objects.get().reason) == ("failed", True)


def test_without_a_key_push_is_not_set_up(mine: APIClient, settings: Any) -> None:
    settings.REMINDERS_VAPID_PRIVATE_KEY = ""
    assert mine.get("/api/reminders/push-key").json() == {"public_key": None}
    error = error_of(mine.post(BROWSERS, {"endpoint": "https://push.example.com/x", **Browser().keys}), 409)
    assert error["message"] == "Push messages are not set up here."


def test_one_user_has_so_many_browsers_and_no_more(mine: APIClient, push_service: PushService) -> None:
    for number in range(MOST_BROWSERS + 1):
        response = mine.post(BROWSERS, {"endpoint": push_service.endpoint(str(number)), **Browser().keys})
    error_of(response, 409)
    assert PushSubscription.objects.count() == MOST_BROWSERS
