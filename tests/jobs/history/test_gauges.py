"""What is measured every so often."""

from collections.abc import Iterator

import pytest
from django.db import OperationalError

from jobs.history import gauges
from jobs.history.gauges import Gauge, sample, sampled
from jobs.models import Step
from tests.jobs.support import long_ago

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def only() -> Iterator[dict[str, Gauge]]:
    """No gauge but those that a test declares."""
    kept = dict(gauges._gauges)
    gauges._gauges.clear()
    yield gauges._gauges
    gauges._gauges.clear()
    gauges._gauges.update(kept)


def shown(gauge: str, step: Step = Step.MINUTE) -> list[tuple[str, float, float]]:
    return [(point.label, point.value, point.peak) for point in sampled({step: long_ago(7200)})[step].get(gauge, [])]


def test_the_last_and_the_highest_value_of_a_minute_and_an_hour_are_kept(only: dict[str, Gauge]) -> None:
    values = iter([3.0, 9.0, 4.0])
    gauges.register(Gauge("letters", lambda: {"": next(values)}))
    for _ in range(3):
        sample()
    # The test may run over the end of an hour.
    assert [max(point[2] for point in shown("letters", Step.HOUR)), shown("letters", Step.HOUR)[-1][1]] == [9.0, 4.0]
    assert shown("letters", Step.MINUTE)[-1][1] == 4.0


def test_a_gauge_may_have_a_value_for_each_of_several_labels(only: dict[str, Gauge]) -> None:
    gauges.register(Gauge("waiting", lambda: {"a": 1, "b": 2}))
    sample()
    assert shown("waiting") == [("a", 1.0, 1.0), ("b", 2.0, 2.0)]


def test_one_that_breaks_keeps_nobody_from_the_others(only: dict[str, Gauge]) -> None:
    gauges.register(Gauge("broken", lambda: {"": 1 / 0}))
    gauges.register(Gauge("whole", lambda: {"": 1}))
    sample()
    assert (shown("broken"), shown("whole")) == ([], [("", 1.0, 1.0)])


def test_a_database_that_is_away_is_not_taken_for_a_broken_gauge(only: dict[str, Gauge]) -> None:
    def away() -> dict[str, float]:
        raise OperationalError("server closed the connection unexpectedly")

    gauges.register(Gauge("away", away))
    with pytest.raises(OperationalError):
        sample()


def test_two_gauges_of_one_name_are_a_mistake(only: dict[str, Gauge]) -> None:
    gauges.register(Gauge("one", dict))
    with pytest.raises(ValueError, match="already declared"):
        gauges.register(Gauge("one", dict))


def test_every_gauge_of_the_installed_apps_can_be_read() -> None:
    sample()
    found = sampled({Step.MINUTE: long_ago(120)})[Step.MINUTE]
    assert {name for name, points in found.items() if points} >= {"dead_letters", "workers", "embedding_coverage"}
    assert {point.label for point in found["waiting"]} >= {"generate_embedding"}
