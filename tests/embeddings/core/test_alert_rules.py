"""The rule about the daily budget."""

from collections.abc import Iterator
from typing import Any

import pytest
from redis import Redis

from embeddings import alert_rules
from embeddings.alert_rules import daily_budget
from embeddings.models import ProviderUsage
from embeddings.quota import embedding_throttle, impatient_throttle
from jobs.alerts.look import look
from jobs.alerts.rules import Finding, all_rules
from jobs.throttle import Throttle
from tests.jobs.conftest import REDIS_URL
from tests.jobs.throttle.clock import new_throttle

from .conftest import FakeProvider, business, work

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def throttle(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[Throttle]:
    """A budget of ten texts a day."""
    # The jobs' own is made once in a process: not with the settings of this test.
    embedding_throttle()
    settings.EMBEDDING_RPD = 10
    client = Redis.from_url(REDIS_URL)
    made = new_throttle(client, units_per_day=10, reserve=0.0)
    monkeypatch.setattr(alert_rules, "impatient_throttle", lambda: made)
    yield made
    client.close()


def asked() -> Finding:
    (reading,) = look([rule for rule in all_rules() if rule.name == "daily_budget"])
    assert reading.finding is not None, reading.error
    return reading.finding


def test_it_fires_beyond_the_share_of_the_day(throttle: Throttle, settings: Any) -> None:
    settings.ALERT_BUDGET_SHARE = 0.8
    throttle.reserve(8)
    assert (asked().firing, asked().value) == (False, 0.8)
    throttle.reserve(1)
    assert (asked().firing, asked().message) == (True, "9 of 10 texts of today are used (90%).")


def test_when_redis_can_not_tell_the_rows_do(
    throttle: Throttle, provider: FakeProvider, settings: Any, monkeypatch
) -> None:
    settings.EMBEDDING_PROVIDER = provider.name
    monkeypatch.setattr(throttle, "look", lambda: None)
    business("A")
    business("B")
    work()
    assert ProviderUsage.objects.count() == 1
    assert daily_budget(0.1).value == 0.2
    assert (daily_budget(0.1).firing, daily_budget(0.2).firing) == (True, False)


def test_without_a_daily_budget_there_is_nothing_to_use_up(throttle: Throttle, settings: Any) -> None:
    settings.EMBEDDING_RPD = 0
    assert daily_budget(0.0).firing is False


def test_it_asks_about_the_budget_that_the_jobs_spend() -> None:
    assert impatient_throttle().name == embedding_throttle().name
    assert impatient_throttle().limits == embedding_throttle().limits
