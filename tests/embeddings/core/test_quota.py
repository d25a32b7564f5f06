"""The main job under a quota, and what the rows know of it."""

from dataclasses import replace
from uuid import uuid4

import pytest
from redis import Redis

from embeddings import quota
from embeddings.kinds import GENERATE_EMBEDDING
from embeddings.quota import history, probe
from jobs import kinds
from jobs.enqueue import enqueue
from jobs.errors import AuthError, RateLimited
from jobs.execute import run_lane
from jobs.kinds import get_kind
from jobs.models import JobExecution, Lease
from jobs.throttle import History, Throttle
from jobs.throttle.throttle import WINDOW
from tests.jobs.conftest import REDIS_URL
from tests.jobs.throttle.clock import later, new_throttle

from .conftest import FakeProvider, business, ends, work

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def redis_client():
    client = Redis.from_url(REDIS_URL)
    yield client
    client.close()


@pytest.fixture
def metered(monkeypatch, redis_client: Redis):
    """Give the main job a budget of its own."""

    def use(**limits) -> Throttle:
        throttle = new_throttle(redis_client, **limits)
        changed = replace(get_kind(GENERATE_EMBEDDING), throttle=lambda: throttle)
        monkeypatch.setitem(kinds._kinds, GENERATE_EMBEDDING, changed)
        return throttle

    return use


@pytest.mark.parametrize("error", [AuthError, RateLimited, RuntimeError])
def test_the_minute_of_a_call_that_failed_starts_at_its_end_too(provider, metered, redis_client, error) -> None:
    throttle = metered(units_per_minute=5, reserve=0.0)

    def fail(texts):
        later(throttle, redis_client, 20)
        raise error("no")

    provider.meanwhile = fail
    business()
    work()
    assert throttle.look().units_this_minute == 1
    later(throttle, redis_client, 59)
    assert throttle.look().units_this_minute == 1
    later(throttle, redis_client, 2)
    assert throttle.look().units_this_minute == 0


def test_the_call_is_sized_to_what_is_left_and_the_rest_waits_with_no_attempt_consumed(provider, metered) -> None:
    metered(units_per_minute=3, reserve=0.0)
    for n in range(5):
        business(str(n))
    while run_lane(GENERATE_EMBEDDING):
        pass
    assert [len(call) for call in provider.calls] == [3]
    assert set(JobExecution.objects.filter(status="queued").values_list("attempt", "deliveries")) == {(1, 0)}


def test_unchanged_and_cached_texts_cost_no_unit(provider: FakeProvider, metered) -> None:
    throttle = metered(units_per_minute=3, reserve=0.0)
    shop = business("A")
    work()
    enqueue(GENERATE_EMBEDDING, subject=shop.pk)
    twin = business("A")
    work()
    assert ends(shop, twin) == [("succeeded", "unchanged"), ("succeeded", "cached")]
    assert throttle.look().units_this_minute == 1


def test_a_refusal_has_everybody_wait(provider: FakeProvider, metered) -> None:
    throttle = metered(units_per_minute=100)

    def refuse(texts):
        raise RateLimited("slow down", status_code=429, retry_after=90.0)

    provider.meanwhile = refuse
    business()
    work()
    assert throttle.reserve(1).wait > 89


class TestHistory:
    """What a Redis without memory is taught."""

    @pytest.fixture(autouse=True)
    def _named(self, provider, settings) -> None:
        settings.EMBEDDING_PROVIDER = provider.name

    def test_nothing_was_spent(self) -> None:
        assert history() == History(units_today=0, unknown_for=0.0)

    def test_texts_of_today_are_counted_and_the_last_minute_is_unknown(self) -> None:
        business("A")
        business("B")
        work()
        assert history() == History(units_today=2, unknown_for=WINDOW / 1000)

    def test_a_call_under_way_may_reach_the_provider_until_its_deadline(self, settings) -> None:
        """Its minute begins with its end, which Redis no longer knows."""
        Lease.objects.create(id=uuid4(), kind=GENERATE_EMBEDDING, worker="w", size=1, expires_at="2999-01-01T00:00:00Z")
        assert history().unknown_for >= WINDOW / 1000 + settings.EMBEDDING_TIMEOUT


class TestProbe:
    """Trying a paused lane costs what any text costs."""

    @pytest.fixture
    def paid(self, provider: FakeProvider, monkeypatch, redis_client: Redis) -> Throttle:
        throttle = new_throttle(redis_client, units_per_minute=2, reserve=0.0)
        monkeypatch.setattr(quota, "embedding_throttle", lambda: throttle)
        monkeypatch.setattr(quota, "current_provider", lambda: provider)
        return throttle

    def test_a_probe_is_one_text_of_the_budget(self, provider: FakeProvider, paid: Throttle) -> None:
        probe()
        assert provider.calls == [[quota.PROBE_TEXT]]
        assert paid.look().units_this_minute == 1
        assert paid.look().tokens_this_minute > 0

    def test_without_budget_there_is_no_probe(self, provider: FakeProvider, paid: Throttle) -> None:
        paid.reserve(2)
        with pytest.raises(RateLimited, match="no budget for a probe"):
            probe()
        assert provider.calls == []
