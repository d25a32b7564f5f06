"""The leader evaluates, and its other duties go on whatever happens."""

from dataclasses import replace
from threading import Event, Thread
from typing import Any

import pytest

from jobs import duties, scheduler
from jobs.alerts.models import Alert
from jobs.kinds import Kind
from jobs.models import Lease
from tests.concurrency import until
from tests.jobs.support import claimed, expire

from .conftest import Gauge

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def lead(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let a scheduler lead, in a hurry, until the test is over."""
    hurried = {
        name: replace(duty, every=0.05, at_first=lambda: 0.0)
        for name, duty in duties._duties.items()
        if name in {"alerts", "sweep"}
    }
    monkeypatch.setattr(duties, "_duties", hurried)
    monkeypatch.setattr(scheduler, "TICK", 0.05)
    stop = Event()
    thread = Thread(target=scheduler.run, args=(stop,))
    yield thread.start
    stop.set()
    thread.join(20)
    assert not thread.is_alive()


def test_it_evaluates_again_and_again(gauge: Gauge, lead) -> None:
    gauge.value = 11
    lead()
    until(lambda: Alert.objects.filter(state="firing").exists())
    gauge.value = 1
    until(lambda: Alert.objects.filter(state="ok").exists())


def test_it_goes_on_with_its_duties_when_alerts_are_broken(gauge: Gauge, kind: Kind, lead, monkeypatch) -> None:
    tries: list[int] = []

    def defect(*_: Any) -> None:
        tries.append(1)
        raise KeyError("a defect")

    monkeypatch.setattr("jobs.alerts.evaluate.look", defect)
    lead()
    until(lambda: len(tries) > 2)
    expire(claimed(kind, "a"))
    until(lambda: not Lease.objects.exists())
