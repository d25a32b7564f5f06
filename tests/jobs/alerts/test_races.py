"""Two evaluators at once: the leader, and `check_alerts` or a leader that does not know yet that it is none."""

from threading import Barrier
from typing import Any

import pytest

from jobs.alerts.decide import decide
from jobs.alerts.evaluate import evaluate
from tests.concurrency import at_once

from .conftest import Gauge
from .support import deliveries, events, logged, pass_time

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("turn", range(5))
def test_they_tell_a_firing_a_reminder_and_a_recovery_once(gauge: Gauge, receiver, turn: int) -> None:
    evaluate()
    gauge.value = 11
    assert [type(each) for each in at_once(evaluate, evaluate, evaluate)] == [list] * 3
    assert events() == ["fired"]
    pass_time(4000)
    at_once(evaluate, evaluate, evaluate)
    assert events() == ["fired", "reminder"]
    gauge.value = 1
    at_once(evaluate, evaluate, evaluate)
    assert events() == ["fired", "reminder", "recovered"]
    assert len(deliveries()) == 3


@pytest.mark.parametrize("value", [11, 1])
def test_of_two_that_saw_the_same_one_makes_the_change(gauge: Gauge, receiver, monkeypatch, caplog, value: int) -> None:
    """Both have decided before either writes: only compare-and-swap tells them apart."""
    gauge.value = 12 - value
    evaluate()
    before = events()
    both_decided = Barrier(2)

    def decide_together(*args: Any, **kwargs: Any) -> Any:
        change = decide(*args, **kwargs)
        both_decided.wait(20)
        return change

    monkeypatch.setattr("jobs.alerts.evaluate.decide", decide_together)
    gauge.value = value
    caplog.clear()
    assert [type(each) for each in at_once(evaluate, evaluate)] == [list] * 2
    assert len(events()) == len(before) + 1
    assert len(deliveries()) == len(events())
    assert len(logged(caplog, "alert_")) == 1
