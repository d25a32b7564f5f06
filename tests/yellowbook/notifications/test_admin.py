"""Deliveries in the admin, and sending one again."""

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse
from django.utils.text import capfirst

from tests.yellowbook.test_translations import _SAME, _visible
from yellowbook.notifications.models import Delivery
from yellowbook.notifications.owners import Recipient

from .conftest import SECRET, SELLER, Post, Receiver
from .support import EVENT, again, run, run_on, tell

pytestmark = pytest.mark.django_db

LIST = "/admin/notifications/delivery/"
EVIL = "<script>alert(1)</script>"


def page(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, response.content
    return response.content.decode()


def page_of(delivery: Delivery) -> str:
    return reverse("admin:notifications_delivery_change", args=[delivery.pk])


def again_of(delivery: Delivery) -> str:
    return reverse("admin:delivery_replay", args=[delivery.pk])


def member(client: Client, group: str) -> User:
    """Log a member of a group of operators in."""
    user = User.objects.create_user(group, is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    client.force_login(user)
    return user


def shown(client: Client, query: str) -> list[str]:
    response = client.get(LIST + query)
    assert response.status_code == 200, response.content
    return [each.event for each in response.context["cl"].result_list]


def test_the_sidebar_leads_to_the_list(admin_client: Client) -> None:
    assert f'href="{LIST}"' in page(admin_client, "/admin/")


def test_the_page_shows_every_attempt_and_what_was_said(admin_client: Client, receiver: Receiver) -> None:
    told = tell()
    receiver.answer(503, body=b"come back later")
    run_on()
    body = page(admin_client, page_of(told))
    assert "The receiver answered 503." in body
    assert "Хатгал Кэмп" in body
    assert [each.status for each in admin_client.get(page_of(told)).context["log"]] == [503, 204]
    assert SECRET not in body
    assert "T0P-SECRET-PATH" not in body


def test_the_list_is_filtered_and_searched(
    admin_client: Client, receiver: Receiver, sellers: dict[str, Recipient]
) -> None:
    receiver.answer(410)
    failed = tell()
    run()
    sellers["b"] = Recipient(webhook_url=receiver.url, secret=SECRET)
    other = tell(owner="seller:b", subject="Амралт")
    Delivery.objects.filter(pk=other.pk).update(event="shop.closed")
    assert shown(admin_client, "") == ["shop.closed", EVENT]
    for query in ("?state__exact=failed", f"?event={EVENT}", f"?owner={SELLER}", f"?q={failed.pk}", "?q=seller.app"):
        assert shown(admin_client, query) == [EVENT], query
    for query in ("?state__exact=waiting", "?owner=seller:b", "?q=seller:b", "?q=амр", "?event=shop.closed"):
        assert shown(admin_client, query) == ["shop.closed"], query
    for query in ("?channel__exact=email", "?owner=seller:nobody", "?q=nothing"):
        assert shown(admin_client, query) == [], query
    assert len(shown(admin_client, "?channel__exact=webhook")) == 2


def test_the_list_costs_the_same_queries_for_any_length(
    admin_client: Client, receiver: Receiver, django_assert_max_num_queries
) -> None:
    for _ in range(30):
        tell()
    with django_assert_max_num_queries(9):
        page(admin_client, LIST)


@pytest.mark.parametrize("status", [204, 410])
def test_the_button_sends_again_and_leaves_a_trace_of_who_did(client: Client, receiver: Receiver, status: int) -> None:
    user = member(client, "Operators")
    told = tell()
    receiver.answer(status)
    run()
    assert again_of(told) in page(client, page_of(told))
    response = client.post(again_of(told), follow=True)
    (repeated,) = Delivery.objects.filter(repeats=told)
    assert response.redirect_chain == [(page_of(repeated), 302)]
    assert str(told.pk) in response.content.decode()
    assert str(repeated.pk) in page(client, page_of(told))
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id) == (user, str(told.pk))
    assert str(repeated.pk) in entry.change_message
    run()
    assert again(repeated).state == "sent"
    assert shown(client, f"?q={told.pk}") == [EVENT, EVENT]


def test_readers_see_and_send_nothing(client: Client, receiver: Receiver) -> None:
    member(client, "Operators (read only)")
    told = tell()
    run()
    assert shown(client, "") == [EVENT]
    assert again_of(told) not in page(client, page_of(told))
    assert client.post(again_of(told)).status_code == 403
    assert Delivery.objects.count() == 1


def test_people_without_permission_see_nothing(client: Client, receiver: Receiver) -> None:
    told = tell()
    client.force_login(User.objects.create_user("other", is_staff=True))
    assert client.get(LIST).status_code == 403
    assert client.get(page_of(told)).status_code == 403


def test_a_link_and_a_forged_form_send_nothing(admin_client: Client, admin_user: User, receiver: Receiver) -> None:
    told = tell()
    assert admin_client.get(again_of(told)).status_code == 405
    forging = Client(enforce_csrf_checks=True)
    forging.force_login(admin_user)
    assert forging.post(again_of(told)).status_code == 403
    assert Delivery.objects.count() == 1


def test_nothing_can_be_edited(admin_client: Client, receiver: Receiver) -> None:
    told = tell()
    assert admin_client.post(reverse("admin:notifications_delivery_add"), {}).status_code == 403
    assert admin_client.post(page_of(told), {"state": "sent"}).status_code == 403
    assert admin_client.post(reverse("admin:notifications_delivery_delete", args=[told.pk])).status_code == 403


def test_what_came_from_outside_is_escaped_wherever_it_is_shown(
    admin_client: Client, post: Post, sellers: dict[str, Recipient]
) -> None:
    sellers[EVIL] = sellers["7f0c"]
    told = tell(payload={EVIL: EVIL}, owner=f"seller:{EVIL}", subject=EVIL, body=EVIL)
    post.says["RCPT"] = f"450 {EVIL}"
    run()
    assert EVIL in again(told).last_answer
    Delivery.objects.update(event=EVIL, last_error=EVIL)
    told.log.update(error=EVIL)
    for path in (LIST, page_of(told), f"{LIST}?owner=seller:{EVIL}"):
        body = page(admin_client, path)
        assert EVIL not in body, path
        assert "&lt;script&gt;alert(1)" in body, path
    assert page(admin_client, page_of(told)).count("&lt;script&gt;alert(1)") >= 8


def test_no_page_says_in_mongolian_what_it_says_in_english(
    admin_client: Client, post: Post, receiver: Receiver, sellers: dict[str, Recipient]
) -> None:
    sellers["7f0c"] = Recipient(webhook_url=receiver.url, secret=SECRET)
    told = tell(owner=SELLER, subject="Сайн уу", body="Сайн уу")
    admin_client.post(again_of(told))
    run()
    title = f"{EVENT}: {SELLER}"
    same = {EVENT, SELLER, title, capfirst(title), "admin", "admin@example.com"}
    for path in (LIST, page_of(told)):
        both = _visible(admin_client, path, "en") & _visible(admin_client, path, "mn")
        assert {text for text in both - same if re.search(r"[A-Za-z]{2}", _SAME.sub(" ", text))} == set(), path
