"""What the tests of alerts share besides fixtures."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F

from jobs.alerts.models import Alert, AlertEvent
from jobs.alerts.names import DELIVER_ALERT
from jobs.execute import run_lane
from jobs.models import JobExecution


def events(**filters: object) -> list[str]:
    """Return what happened, in order; in brackets what people were not told."""
    found = AlertEvent.objects.filter(**filters).order_by("at")
    return [event.kind if event.notified else f"({event.kind})" for event in found]


def deliveries() -> list[JobExecution]:
    """Return the jobs that deliver, in the order in which they were made."""
    return list(JobExecution.objects.filter(kind=DELIVER_ALERT).order_by("created_at", "subject"))


def pass_time(seconds: float) -> None:
    """Let it be later: everything that was written moves into the past."""
    by = timedelta(seconds=seconds)
    Alert.objects.update(since=F("since") - by, last_notified_at=F("last_notified_at") - by)
    AlertEvent.objects.update(at=F("at") - by, since=F("since") - by)


def deliver_all() -> int:
    """Let a worker deliver what is due; return how many turns it took."""
    turns = 0
    while run_lane(DELIVER_ALERT):
        turns += 1
    return turns


def logged(caplog: pytest.LogCaptureFixture, beginning: str) -> list[dict[str, Any]]:
    """Return the events of the log whose names begin so."""
    lines = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
    return [line for line in lines if line["event"].startswith(beginning)]
