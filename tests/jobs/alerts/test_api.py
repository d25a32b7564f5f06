"""`/api/admin/alerts` and the metric."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from jobs import workers
from jobs.alerts.evaluate import evaluate
from jobs.alerts.rules import all_rules
from tests.jobs.api.conftest import api, error_of, staff, token  # noqa: F401
from tests.jobs.test_health import metric

from .conftest import Gauge

pytestmark = pytest.mark.django_db


def test_it_lists_every_rule_those_that_fire_first(api: APIClient, make_gauge) -> None:  # noqa: F811
    make_gauge("a"), make_gauge("b", severity="warning")
    c: Gauge = make_gauge("c")
    c.value = 11
    evaluate()
    shown = api.get("/api/admin/alerts").json()
    assert [each["rule"] for each in shown] == ["c", "a", "b"]
    assert {key: shown[0][key] for key in ("title", "severity", "state", "value", "threshold", "message")} == {
        "title": "The c is high",
        "severity": "critical",
        "state": "firing",
        "value": 11,
        "threshold": None,
        "message": "The gauge shows 11.",
    }
    assert shown[0]["next_step"] == "Open the valve."
    assert shown[0]["since"].endswith("Z")
    assert shown[0]["last_notified_at"] is not None
    assert shown[1]["state"] == "ok"


def test_what_nobody_has_checked_yet_is_not_known(api: APIClient, gauge: Gauge) -> None:  # noqa: F811
    (shown,) = api.get("/api/admin/alerts").json()
    assert (shown["state"], shown["since"], shown["message"]) == ("unknown", None, "Not checked yet.")
    assert gauge.checks == 0


def test_that_no_worker_is_alive_shows_although_nobody_evaluates_it(api: APIClient) -> None:  # noqa: F811
    workers.enter_registry(1)
    evaluate()

    def state() -> Any:
        return next(each["state"] for each in api.get("/api/admin/alerts").json() if each["rule"] == "no_worker")

    assert state() == "ok"
    workers.say_stopped()
    assert state() == "firing"


def test_what_was_written_down_still_tells_since_when(api: APIClient) -> None:  # noqa: F811
    evaluate()
    shown = next(each for each in api.get("/api/admin/alerts").json() if each["rule"] == "no_worker")
    assert shown["state"] == "firing"
    assert shown["since"] is not None


def test_it_costs_few_queries(api: APIClient, django_assert_max_num_queries) -> None:  # noqa: F811
    evaluate()
    with django_assert_max_num_queries(5):
        api.get("/api/admin/alerts")


def test_it_is_for_staff(client) -> None:
    error_of(client.get("/api/admin/alerts"), 401)


def test_the_metric_is_1_for_what_fires(client: Any, make_gauge) -> None:
    make_gauge("calm"), make_gauge("loud", severity="warning")
    (calm, loud) = (f'yellowbook_alert_firing{{rule="{name}"' for name in ("calm", "loud"))
    evaluate()
    assert metric(client.get("/metrics").content.decode(), "yellowbook_alert_firing", rule="loud") == 0
    for rule in all_rules():
        rule.check.__self__.value = 11 if rule.name == "loud" else 0  # type: ignore[attr-defined]
    evaluate()
    text = client.get("/metrics").content.decode()
    assert metric(text, "yellowbook_alert_firing", rule="loud", severity="warning") == 1
    assert metric(text, "yellowbook_alert_firing", rule="calm", severity="critical") == 0
    assert calm in text
    assert loud in text
