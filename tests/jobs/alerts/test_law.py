"""Whatever a rule does and however time passes, people hear enough and not too much."""

import itertools
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from jobs.alerts.evaluate import evaluate
from jobs.alerts.models import Alert, AlertEvent

from .conftest import Gauge
from .support import deliveries, pass_time

COOLDOWN = 600.0

#: What the gauge shows at an evaluation (None: the check breaks), and the seconds until the next one.
steps = st.lists(
    st.tuples(st.sampled_from([0, 0, 0, 11, 11, 11, None]), st.sampled_from([0, 15, 15, 200, 590, 610])),
    min_size=6,
    max_size=25,
)


@pytest.mark.django_db
@given(history=steps)
@hypothesis_settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_people_hear_enough_and_not_too_much(
    history: list[tuple[int | None, int]], gauge: Gauge, receiver: Any, settings: Any
) -> None:
    _start_anew()
    settings.ALERT_COOLDOWN = COOLDOWN
    for value, seconds in history:
        gauge.value, gauge.error = value or 0, ValueError("x") if value is None else None
        evaluate()
        _check(fires_for_sure=value == 11)
        pass_time(seconds)


def _start_anew() -> None:
    Alert.objects.all().delete()
    AlertEvent.objects.all().delete()
    for job in deliveries():
        job.delete()


def _check(*, fires_for_sure: bool) -> None:
    told = list(AlertEvent.objects.filter(notified=True).order_by("at"))
    loud = [event for event in told if event.kind != "recovered"]
    for one, next_ in itertools.pairwise(loud):
        assert (next_.at - one.at).total_seconds() >= COOLDOWN - 1, "two messages within one cool-down"
    known_to_fire = False
    for event in told:
        assert (event.kind == "fired") == (not known_to_fire and event.kind != "recovered")
        if event.kind == "recovered":
            assert known_to_fire, "a recovery of what nobody was told of"
        known_to_fire = event.kind != "recovered"
    alert = Alert.objects.get()
    assert alert.announced == known_to_fire, "what people know differs from what the row says they know"
    if fires_for_sure:
        assert alert.state == "firing"
        (now,) = Alert.objects.extra(select={"now": "statement_timestamp()"}).values_list("now", flat=True)
        assert (now - loud[-1].at).total_seconds() < COOLDOWN + 1, "it fires, and people were not told for too long"
    assert len(deliveries()) == len(told)
    changes = [event.kind for event in AlertEvent.objects.order_by("at")]
    assert changes.count("recovered") <= changes.count("fired")
