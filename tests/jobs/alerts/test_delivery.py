"""The job `deliver_alert`, and alerts that can't be delivered."""

from typing import Any
from uuid import uuid4

import pytest

from jobs.actor import Actor
from jobs.alerts.alert_rules import lanes, queue
from jobs.alerts.announce import send_test
from jobs.alerts.evaluate import evaluate
from jobs.alerts.history import prune
from jobs.alerts.models import AlertEvent
from jobs.alerts.names import DELIVER_ALERT
from jobs.enqueue import enqueue
from jobs.models import DeadLetter, JobExecution, Lane
from tests.jobs.support import NOBODY, long_ago

from .conftest import Gauge
from .support import deliver_all, deliveries, events

pytestmark = pytest.mark.django_db


def test_a_channel_that_was_switched_off_has_nothing_to_deliver(gauge: Gauge, receiver, settings: Any) -> None:
    gauge.value = 11
    evaluate()
    settings.ALERT_WEBHOOK_URL = ""
    deliver_all()
    assert [(job.status, job.result) for job in deliveries()] == [("succeeded", "switched off")]
    assert not receiver.requests


@pytest.mark.parametrize("subject", ["nonsense:webhook", f"{NOBODY}:webhook", f"{NOBODY}:pigeon", ""])
def test_what_can_not_be_delivered_any_more_is_a_dead_letter(receiver, subject: str) -> None:
    enqueue(DELIVER_ALERT, subject=subject)
    deliver_all()
    assert DeadLetter.objects.get().error_class == "not_found"


def test_undelivered_alerts_raise_no_alert(receiver, settings: Any) -> None:
    """Else one broken channel would tell itself so, for ever."""
    settings.ALERT_DEAD_LETTERS = settings.ALERT_WAITING_JOBS = 0
    settings.ALERT_OLDEST_WAITING = settings.ALERT_FAILURE_RATE = 0.0
    for number in range(25):
        enqueue(DELIVER_ALERT, subject=f"{uuid4()}:webhook")
        receiver.answer(401)
        if number < queue.MIN_JOBS + 2:
            deliver_all()
    Lane.objects.filter(kind=DELIVER_ALERT).update(paused_at="2026-01-01T00:00Z", circuit="auth")
    assert DeadLetter.objects.count() > queue.MIN_JOBS
    assert JobExecution.objects.filter(status="queued").exists()
    for check in (queue.dead_letters, queue.waiting_jobs, queue.oldest_waiting, queue.failure_rate):
        assert not check(0).firing, check(0).message
    assert not lanes.provider_paused(0).firing


def test_a_test_alert_goes_everywhere_and_changes_no_state(gauge: Gauge, receiver, mail, mailoutbox) -> None:
    send_test(Actor("болд", "admin"))
    deliver_all()
    told = receiver.verified()
    assert (told["type"], told["state"], told["rule"]) == ("alert.test", "ok", "test")
    assert "болд" in told["message"]
    assert mailoutbox[0].subject == "[Yellow Book] Test: Test alert"
    assert events() == ["test"]


def test_old_events_are_pruned_the_oldest_first_and_no_more_than_asked(gauge: Gauge) -> None:
    ages = [100, 200, 300, 400]
    made = [send_test(Actor("a", "admin")) for _ in ages]
    for event, age in zip(made, ages, strict=True):
        AlertEvent.objects.filter(pk=event.pk).update(at=long_ago(age))
    assert prune(150, limit=1) == 1
    assert not AlertEvent.objects.filter(pk=made[3].pk).exists()
    assert prune(250, limit=10) == 1
    assert prune(150, limit=10) == 1
    assert prune(150, limit=10) == 0
    assert AlertEvent.objects.get() == made[0]
