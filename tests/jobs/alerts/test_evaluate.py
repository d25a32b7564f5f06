"""States, cool-down and messages, as people notice them."""

from typing import Any

import pytest
from django.db import DatabaseError

from jobs.alerts import announce
from jobs.alerts.evaluate import evaluate, watch
from jobs.alerts.models import Alert, AlertEvent
from jobs.alerts.rules import AlertRule, Finding, register_rule
from jobs.alerts.standing import firing, standings

from .conftest import Gauge
from .support import deliveries, events, logged, pass_time

pytestmark = pytest.mark.django_db


def at(gauge: Gauge, value: float) -> None:
    gauge.value = value
    evaluate()


def test_what_is_all_right_is_written_down_and_tells_nobody(gauge: Gauge, receiver) -> None:
    at(gauge, 3)
    alert = Alert.objects.get()
    assert (alert.state, alert.value, alert.message) == ("ok", 3, "The gauge shows 3.")
    assert alert.last_checked_at is not None
    assert (events(), deliveries()) == ([], [])


def test_a_firing_is_told_once_over_every_channel_however_often_it_is_evaluated(gauge: Gauge, receiver, mail) -> None:
    for _ in range(3):
        at(gauge, 11)
    event = AlertEvent.objects.get()
    assert events() == ["fired"]
    assert [job.subject for job in deliveries()] == [f"{event.pk}:email", f"{event.pk}:webhook"]
    assert {job.priority for job in deliveries()} == {0}


def test_an_event_says_everything_that_a_message_needs(gauge: Gauge) -> None:
    at(gauge, 11)
    event, alert = AlertEvent.objects.get(), Alert.objects.get()
    assert (event.rule, event.title, event.severity) == ("pressure", "The pressure is high", "critical")
    assert (event.state, event.value, event.message) == ("firing", 11, "The gauge shows 11.")
    assert (event.next_step, event.since) == ("Open the valve.", alert.since)


def test_the_state_says_since_when_and_the_latest_value(gauge: Gauge) -> None:
    at(gauge, 11)
    began = Alert.objects.get().since
    at(gauge, 20)
    alert = Alert.objects.get()
    assert (alert.state, alert.since, alert.value) == ("firing", began, 20)
    at(gauge, 1)
    alert = Alert.objects.get()
    assert alert.state == "ok"
    assert alert.since > began


def test_a_recovery_is_told_once_with_when_it_had_begun(gauge: Gauge, receiver) -> None:
    at(gauge, 11)
    began = Alert.objects.get().since
    at(gauge, 1)
    at(gauge, 1)
    assert events() == ["fired", "recovered"]
    assert AlertEvent.objects.get(kind="recovered").since == began
    assert len(deliveries()) == 2


def test_while_it_fires_a_reminder_comes_once_per_cool_down(gauge: Gauge, settings: Any) -> None:
    settings.ALERT_COOLDOWN = 600
    at(gauge, 11)
    pass_time(590)
    at(gauge, 11)
    assert events() == ["fired"]
    pass_time(20)
    at(gauge, 11)
    at(gauge, 11)
    assert events() == ["fired", "reminder"]
    pass_time(610)
    at(gauge, 11)
    assert events() == ["fired", "reminder", "reminder"]


def test_flapping_is_written_down_and_told_once_per_cool_down(gauge: Gauge, receiver, settings: Any) -> None:
    settings.ALERT_COOLDOWN = 600
    for _ in range(3):
        at(gauge, 11)
        at(gauge, 1)
    assert events() == ["fired", "recovered", "(fired)", "(recovered)", "(fired)", "(recovered)"]
    assert len(deliveries()) == 2
    pass_time(601)
    at(gauge, 11)
    assert events(notified=True) == ["fired", "recovered", "fired"]


def test_what_fires_again_within_a_cool_down_and_stays_is_told_when_it_is_over(gauge: Gauge, settings: Any) -> None:
    settings.ALERT_COOLDOWN = 600
    for value in (11, 1, 11):
        at(gauge, value)
    assert firing()
    pass_time(601)
    at(gauge, 11)
    assert events(notified=True) == ["fired", "recovered", "fired"]
    assert AlertEvent.objects.latest("at").since == Alert.objects.get().since
    assert AlertEvent.objects.latest("at").since < AlertEvent.objects.latest("at").at
    at(gauge, 1)
    assert events(notified=True) == ["fired", "recovered", "fired", "recovered"]


def test_every_rule_has_a_cool_down_of_its_own(make_gauge) -> None:
    one, other = make_gauge("one"), make_gauge("other")
    one.value = other.value = 11
    evaluate()
    assert sorted(AlertEvent.objects.values_list("rule", flat=True)) == ["one", "other"]


def test_the_log_hears_of_a_firing_as_an_error_and_of_a_recovery_as_news(gauge: Gauge, caplog) -> None:
    at(gauge, 11)
    at(gauge, 1)
    told = [(line["event"], line["level"], line["rule"]) for line in logged(caplog, "alert_")]
    assert told == [("alert_fired", "error", "pressure"), ("alert_recovered", "info", "pressure")]


class TestABrokenRule:
    """One that raises."""

    def test_it_keeps_nobody_from_the_others(self, make_gauge) -> None:
        broken, fine = make_gauge("a"), make_gauge("b")
        broken.error, fine.value = ZeroDivisionError("by pressure"), 11
        evaluate()
        assert Alert.objects.get(rule="b").state == "firing"

    def test_it_is_shown_as_not_known_and_cleaned(self, gauge: Gauge) -> None:
        at(gauge, 3)
        gauge.error = ValueError("password=hunter22 was refused")
        evaluate()
        (shown,) = standings()
        assert (shown.state, shown.value) == ("unknown", 3)
        assert shown.message == "Can't tell: ValueError: password=[secret] was refused"
        assert "hunter22" not in Alert.objects.get().error

    def test_what_fired_fires_on_and_is_not_recovered(self, gauge: Gauge) -> None:
        at(gauge, 11)
        gauge.error = ValueError("x")
        evaluate()
        assert [each.state for each in standings()] == ["firing"]
        assert events() == ["fired"]
        gauge.error = None
        at(gauge, 1)
        assert events() == ["fired", "recovered"]
        assert Alert.objects.get().error == ""

    def test_it_is_logged_once_until_it_works_again(self, gauge: Gauge, caplog) -> None:
        gauge.error = ValueError("x")
        evaluate()
        evaluate()
        gauge.error = None
        evaluate()
        gauge.error = ValueError("x")
        evaluate()
        assert [line["event"] for line in logged(caplog, "rule_")] == ["rule_broken", "rule_mended", "rule_broken"]

    def test_one_that_finds_nonsense_is_broken_too(self, gauge: Gauge, make_gauge) -> None:
        gauge.value = "much"  # type: ignore[assignment]
        fine = make_gauge("fine")
        fine.value = 11
        evaluate()
        assert {each.rule.name: each.state for each in standings()} == {"pressure": "unknown", "fine": "firing"}


class TestTrouble:
    """What must not hurt the work."""

    def test_a_change_whose_deliveries_can_not_be_made_is_not_made_and_made_later(
        self, gauge: Gauge, receiver, monkeypatch
    ) -> None:
        with monkeypatch.context() as away:
            away.setattr(announce, "enqueue_many", failing(DatabaseError("no room")))
            at(gauge, 11)
            assert (Alert.objects.get().state, events()) == ("ok", [])
        at(gauge, 11)
        assert (events(), len(deliveries())) == (["fired"], 1)

    def test_a_change_that_fails_keeps_nobody_from_the_others(self, make_gauge, monkeypatch) -> None:
        for name in ("a", "b"):
            make_gauge(name).value = 11
        real = announce._deliver
        monkeypatch.setattr(
            announce, "_deliver", lambda event, actor: failing(OSError())() if event.rule == "a" else real(event, actor)
        )
        evaluate()
        assert dict(Alert.objects.values_list("rule", "state")) == {"a": "ok", "b": "firing"}

    @pytest.mark.parametrize("error", [DatabaseError("gone"), KeyError("a defect"), OSError("no")])
    def test_the_leader_never_hears_of_it(self, gauge: Gauge, monkeypatch, error: Exception) -> None:
        monkeypatch.setattr("jobs.alerts.evaluate._note", failing(error))
        watch()
        assert gauge.checks == 1

    def test_without_redis_a_firing_is_written_and_its_delivery_waits(self, gauge: Gauge, receiver, dead_redis) -> None:
        at(gauge, 11)
        assert (events(), len(deliveries())) == (["fired"], 1)


def failing(error: Exception) -> Any:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    return fail


def test_a_name_is_declared_once(make_gauge) -> None:
    make_gauge("one")
    with pytest.raises(ValueError, match="already declared"):
        make_gauge("one")


def test_the_example_of_a_rule_in_the_docstring_works(make_gauge, settings: Any) -> None:
    """Its shape: a threshold from a setting, a finding, a next step."""
    settings.ALERT_UNSENT_POSTCARDS = 5
    register_rule(
        AlertRule(
            name="unsent_postcards",
            title="Postcards pile up",
            check=lambda threshold: Finding(threshold < 6, 6, "6 postcards are not sent."),
            setting="ALERT_UNSENT_POSTCARDS",
            next_step="See why the printer is silent.",
        )
    )
    evaluate()
    assert AlertEvent.objects.get().threshold == 5
    settings.ALERT_UNSENT_POSTCARDS = 6
    evaluate()
    assert events() == ["fired", "recovered"]
