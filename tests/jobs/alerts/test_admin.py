"""Alerts in the admin."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from jobs.alerts.admin import AlertAdmin
from jobs.alerts.evaluate import evaluate
from jobs.alerts.models import Alert, AlertEvent
from jobs.alerts.rules import Unit

from .conftest import Gauge
from .support import deliver_all, deliveries, events

pytestmark = pytest.mark.django_db

ALERTS = "admin:alerts_alert_changelist"
HISTORY = "admin:alerts_alertevent_changelist"
TEST = "admin:alerts_alert_send_test"
EVIL = "<script>alert(1)</script>"


def page(client: Client, name: str, *args: Any) -> str:
    response = client.get(reverse(name, args=args))
    assert response.status_code == 200
    return response.content.decode()


def test_the_list_shows_every_rule_before_anybody_evaluated_it(admin_client: Client) -> None:
    shown = page(admin_client, ALERTS)
    assert "Too many dead letters" in shown
    assert "Not checked yet." in shown
    # This one is asked while we look.
    assert "No worker is alive: every job waits." in shown


def test_what_fires_says_what_is_wrong_and_leads_to_where_it_is_put_right(admin_client: Client, make_gauge) -> None:
    gauge: Gauge = make_gauge(page="/admin/jobs/lane/?x=1")
    gauge.value = 11
    evaluate()
    shown = page(admin_client, ALERTS)
    assert "The gauge shows 11." in shown
    assert '<a class="yb-link" href="/admin/jobs/lane/?x=1">Open the valve.</a>' in shown
    assert "firing" in shown
    gauge.value = 1
    evaluate()
    assert "Open the valve." not in page(admin_client, ALERTS)


def test_one_alert_shows_the_same_and_its_history(admin_client: Client, gauge: Gauge) -> None:
    gauge.value = 11
    evaluate()
    shown = page(admin_client, "admin:alerts_alert_change", "pressure")
    assert "The gauge shows 11." in shown
    assert "Open the valve." in shown
    link = f"{reverse(HISTORY)}?rule__exact=pressure"
    assert link in shown
    assert "The pressure is high" in admin_client.get(link).content.decode()


def test_the_lists_cost_the_same_queries_for_any_length(
    admin_client: Client, make_gauge, receiver, django_assert_max_num_queries
) -> None:
    for number in range(30):
        make_gauge(f"g{number}").value = 11
    evaluate()
    with django_assert_max_num_queries(9):
        page(admin_client, ALERTS)
    with django_assert_max_num_queries(9):
        page(admin_client, HISTORY)


def test_a_rule_that_is_gone_is_not_shown(admin_client: Client, gauge: Gauge) -> None:
    Alert.objects.create(rule="forgotten", message="Nobody watches this.")
    assert "Nobody watches this." not in page(admin_client, ALERTS)
    assert admin_client.get(reverse("admin:alerts_alert_change", args=["forgotten"])).status_code == 302


def test_the_history_shows_what_happened_and_whether_people_were_reached(
    admin_client: Client, gauge: Gauge, receiver, mail
) -> None:
    receiver.answer(401)
    gauge.value = 11
    evaluate()
    assert "email queued, webhook queued" in page(admin_client, HISTORY)
    deliver_all()
    shown = page(admin_client, HISTORY)
    assert "email succeeded, webhook dead" in shown
    event = AlertEvent.objects.get()
    assert "The gauge shows 11." in page(admin_client, "admin:alerts_alertevent_change", event.pk)


def test_nothing_can_be_edited(admin_client: Client, gauge: Gauge) -> None:
    evaluate()
    for path in (reverse("admin:alerts_alert_add"), reverse("admin:alerts_alert_delete", args=["pressure"])):
        assert admin_client.post(path, {}).status_code == 403


def test_what_came_from_outside_is_escaped(admin_client: Client, make_gauge) -> None:
    gauge: Gauge = make_gauge("x", title=f"x {EVIL}", page="/admin/jobs/lane/")
    gauge.error = ValueError(EVIL)
    evaluate()
    assert EVIL not in page(admin_client, ALERTS)
    gauge.error, gauge.value = None, 11
    evaluate()
    for shown in (page(admin_client, ALERTS), page(admin_client, HISTORY)):
        assert EVIL not in shown
        assert "&lt;script&gt;alert(1)" in shown


class TestTestAlert:
    """The button "Send a test alert"."""

    def test_it_asks_first_and_says_where_it_goes(self, admin_client: Client, receiver, mail) -> None:
        assert reverse(TEST) in page(admin_client, ALERTS)
        shown = page(admin_client, TEST)
        assert "email and webhook" in shown
        assert events() == []

    def test_it_sends_and_leaves_a_trace_of_who_did(self, admin_client: Client, admin_user, receiver) -> None:
        response = admin_client.post(reverse(TEST), follow=True)
        assert [str(each) for each in response.context["messages"]] == ["A test alert is on its way by webhook."]
        assert deliveries()[0].metadata["triggered_by"] == admin_user.username
        assert LogEntry.objects.get().user == admin_user
        deliver_all()
        assert receiver.verified()["type"] == "alert.test"

    def test_without_a_channel_it_says_which_settings_are_missing(self, admin_client: Client) -> None:
        assert "ALERT_WEBHOOK_SECRET" in page(admin_client, TEST)
        response = admin_client.post(reverse(TEST), follow=True)
        assert "No channel is switched on" in str(next(iter(response.context["messages"])))
        assert (events(), deliveries()) == (["test"], [])

    def test_it_is_for_those_who_may_steer(self, client: Client, receiver) -> None:
        reader = User.objects.create_user("reader", is_staff=True)
        reader.user_permissions.add(Permission.objects.get(codename="view_alert"))
        client.force_login(reader)
        assert reverse(TEST) not in page(client, ALERTS)
        for response in (client.get(reverse(TEST)), client.post(reverse(TEST))):
            assert response.status_code == 403
        assert events() == []

    def test_a_forged_form_sends_nothing(self, admin_user) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(admin_user)
        assert client.post(reverse(TEST)).status_code == 403
        assert events() == []


@pytest.mark.parametrize(
    ("unit", "value", "shown"),
    [
        (Unit.COUNT, 1234, "1,234"),
        (Unit.SHARE, 0.073, "7.3 %"),
        (Unit.SECONDS, 900, "900 s"),
        (Unit.MEBIBYTES, 10240, "10,240 MiB"),
        (Unit.SHARE, None, "-"),
    ],
)
def test_values_are_shown_with_their_unit(unit: Unit, value: float | None, shown: str) -> None:
    assert unit.show(value) == shown.replace(" ", "\N{NO-BREAK SPACE}")


def test_those_that_fire_come_first() -> None:
    assert AlertAdmin.ordering == ["state", "rule"]
    assert sorted(Alert.State.values) == ["firing", "ok"]
