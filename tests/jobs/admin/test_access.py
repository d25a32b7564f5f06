"""Who may do what with dead letters in the admin."""

import pytest
from django.test import Client
from django.urls import reverse

from jobs import deadletters
from jobs.kinds import Kind

from .conftest import MakePerson
from .support import LIST, body, bury, page_of, select

pytestmark = pytest.mark.django_db


def steering(letter_id: int) -> list[str]:
    return [
        reverse("admin:deadletters_retry"),
        reverse("admin:deadletters_resolve"),
        reverse("admin:deadletter_retry", args=[letter_id]),
        reverse("admin:deadletter_resolve", args=[letter_id]),
    ]


def test_who_may_only_see_sees_everything_but_no_button(viewer: Client, kind: Kind) -> None:
    letter = bury(kind, "a")[0]

    for url in (LIST, f"{LIST}causes/", page_of(letter)):
        page = body(viewer, url)
        assert "a" in page
        for address in steering(letter.pk):
            assert address not in page
    assert "retry_selected" not in body(viewer, LIST)


def test_who_may_settle_sees_the_buttons(operator: Client, kind: Kind) -> None:
    letter = bury(kind, "a")[0]
    retry, resolve, retry_one, resolve_one = steering(letter.pk)

    for url, addresses in ((LIST, [retry, resolve]), (f"{LIST}causes/", [retry, resolve])):
        page = body(operator, url)
        assert all(address in page for address in addresses)
    assert "retry_selected" in body(operator, LIST)
    assert all(address in body(operator, page_of(letter)) for address in (retry_one, resolve_one))


def test_who_may_only_see_is_refused_what_steers(viewer: Client, kind: Kind) -> None:
    letter = bury(kind, "a")[0]

    for url in steering(letter.pk):
        assert viewer.post(url, {"chosen": letter.pk, "up_to": letter.pk}).status_code == 403
    for url in steering(letter.pk)[:2]:
        assert viewer.get(url).status_code == 403
    for verb in ("retry", "resolve"):
        assert select(viewer, verb, letter).status_code == 403
    assert deadletters.unsettled().exists()


def test_the_permission_of_another_page_does_not_count(person: MakePerson, kind: Kind) -> None:
    letter = bury(kind, "a")[0]
    lanes_only = person("lanes", "view_lane", "pause_lane", "view_jobexecution")

    for url in (LIST, f"{LIST}causes/", page_of(letter)):
        assert lanes_only.get(url).status_code == 403
    assert all(lanes_only.post(url, {"up_to": letter.pk}).status_code == 403 for url in steering(letter.pk))


def test_strangers_are_sent_to_the_login(client: Client, kind: Kind) -> None:
    letter = bury(kind, "a")[0]

    for url in (LIST, f"{LIST}causes/", page_of(letter), *steering(letter.pk)):
        assert reverse("admin:login") in client.get(url)["Location"]
        assert client.post(url).status_code == 302
    assert deadletters.unsettled().exists()


def test_a_post_without_the_token_against_forgery_is_refused(person: MakePerson, kind: Kind) -> None:
    letter = bury(kind, "a")[0]
    strict = person("strict", "view_deadletter", "retry_job", "resolve_deadletter", enforce_csrf_checks=True)

    for url in steering(letter.pk):
        assert strict.post(url, {"up_to": letter.pk, "chosen": letter.pk}).status_code == 403
    assert deadletters.unsettled().exists()
