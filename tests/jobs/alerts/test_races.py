"""Two evaluators at once: the leader, and `check_alerts` or a leader that does not know yet that it is none."""

from collections.abc import Callable

import pytest
from django.db import connection

from jobs.alerts.evaluate import evaluate
from jobs.alerts.models import Alert
from tests.concurrency import Session, at_once, until_blocked

from .conftest import Gauge
from .support import deliveries, events, pass_time

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


def test_the_second_one_finds_the_change_made_and_makes_none(
    gauge: Gauge, receiver, session: Callable[[], Session]
) -> None:
    """It decided by what it had seen before the first one committed."""
    evaluate()
    gauge.value = 11
    blocker, first, second = session(), session(), session()
    blocker.begin()
    blocker.do(_hold_events)
    one = first.start(evaluate)
    until_blocked(one)
    two = second.start(evaluate)
    until_blocked(two)
    blocker.rollback()
    one.result(20), two.result(20)
    assert (events(), len(deliveries())) == (["fired"], 1)
    assert Alert.objects.get().announced


def _hold_events() -> None:
    """Let nobody write an event: whoever changed the alert holds its row from then on."""
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE alerts_alertevent IN EXCLUSIVE MODE")
