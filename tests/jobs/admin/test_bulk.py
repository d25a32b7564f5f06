"""The list and the page of bulk actions."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from jobs.bulk.actions import Asked
from jobs.bulk.criteria import by_ids
from jobs.bulk.job_actions import CANCEL_JOBS
from jobs.bulk.letters import RETRY_LETTERS
from jobs.bulk.start import start
from jobs.models import BulkAction, DeadLetter, JobExecution

from .conftest import MakePerson
from .support import EVIL, body

pytestmark = pytest.mark.django_db
LIST = reverse("admin:jobs_bulkaction_changelist")


def made(note: str = "", **changes: object) -> BulkAction:
    """Make a bulk action in any state."""
    bulk = start(RETRY_LETTERS, by_ids(range(5)), DeadLetter.objects.none(), Asked("болд", "admin", note))
    BulkAction.objects.filter(id=bulk.id).update(**changes)
    return bulk


def page_of(bulk: BulkAction) -> str:
    return reverse("admin:jobs_bulkaction_change", args=[bulk.id])


def live(bulk: BulkAction) -> str:
    return reverse("admin:bulk_live", args=[bulk.id])


def stop_of(bulk: BulkAction) -> str:
    return reverse("admin:bulk_stop", args=[bulk.id])


@pytest.fixture
def operator(person: MakePerson) -> Client:
    return person("болд", "view_bulkaction", "retry_job")


def test_the_page_says_how_far_it_has_come_and_why_rows_were_skipped(operator: Client) -> None:
    reasons = {"resolved already": 500}
    bulk = made(total=12_000, done=2_500, skipped=500, reasons=reasons, per_second=20, state="working")
    for url in (page_of(bulk), live(bulk)):
        page = body(operator, url)
        for text in ("3,000 of 12,000", "25.0 %", "2,500", "9,000", "500: resolved already", "at most 20", "болд"):
            assert text in page
        assert stop_of(bulk) in page


def test_one_that_is_over_is_not_asked_for_again_and_has_no_button(operator: Client) -> None:
    bulk = made(total=10, done=7, skipped=1, state="done", finished_at="2026-01-01T00:00:00Z")
    page = body(operator, live(bulk))
    assert "data-live-over" in page
    assert "Matched no longer" in page
    assert stop_of(bulk) not in page


def test_a_stop_is_told_and_written_to_the_log(operator: Client) -> None:
    bulk = made(total=12_000, done=2_500, state="working")
    page = operator.post(stop_of(bulk), follow=True).content.decode()
    assert "What is done stays done" in page
    bulk.refresh_from_db()
    assert bulk.state == "stopped"
    last = LogEntry.objects.order_by("id").last()
    assert last.change_message == "stopped after 2500 of 12000 (was working)"
    again = operator.post(stop_of(bulk), follow=True).content.decode()
    assert "only one that is under way can be stopped" in again


def test_stopping_takes_the_permission_for_the_action_itself(person: MakePerson) -> None:
    bulk = made(state="working")
    canceller = person("canceller", "view_bulkaction", "cancel_job")
    assert stop_of(bulk) not in body(canceller, page_of(bulk))
    assert canceller.post(stop_of(bulk)).status_code == 403
    assert canceller.get(stop_of(bulk)).status_code == 405
    other = start(CANCEL_JOBS, by_ids([]), JobExecution.objects.none(), Asked("x", "admin"))
    assert canceller.post(stop_of(other)).status_code == 302


@pytest.mark.parametrize(("group", "acts"), [("Operators (read only)", False), ("Operators", True)])
def test_both_groups_of_operators_see_them_and_one_may_act(client: Client, group: str, acts: bool) -> None:
    user = User.objects.create_user("member", is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    client.force_login(user)
    bulk = made(state="working")
    assert str(bulk.id) in body(client, LIST)
    assert (stop_of(bulk) in body(client, page_of(bulk))) is acts
    assert client.post(stop_of(bulk)).status_code == (302 if acts else 403)


def test_who_may_not_see_them_sees_nothing(person: MakePerson) -> None:
    bulk = made()
    stranger = person("stranger", "retry_job")
    assert [stranger.get(url).status_code for url in (LIST, page_of(bulk), live(bulk))] == [403] * 3


def test_a_reason_is_shown_escaped(operator: Client) -> None:
    bulk = made(note=EVIL, error=EVIL, requested_by=EVIL, reasons={EVIL: 1}, criteria={"admin": {"q": [EVIL]}})
    for url in (LIST, page_of(bulk), live(bulk)):
        assert EVIL not in body(operator, url)
    assert body(operator, live(bulk)).count("&lt;script&gt;") == 5


def test_an_action_that_nobody_declares_any_more_is_shown_but_not_steered(operator: Client) -> None:
    bulk = made(action="paint_rows", state="working")
    assert "paint_rows" in body(operator, LIST)
    assert stop_of(bulk) not in body(operator, page_of(bulk))
    assert operator.post(stop_of(bulk)).status_code == 403


def test_the_list_is_filtered_and_costs_the_same_for_any_length(operator: Client) -> None:
    counts = []
    for _ in range(2):
        for _ in range(12):
            made(state="working")
        with CaptureQueriesContext(connection) as queries:
            assert operator.get(LIST, {"action": "retry_dead_letters", "state__exact": "working"}).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1] < 10
    assert "0 of" not in body(operator, f"{LIST}?action=cancel_jobs")
