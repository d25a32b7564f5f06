"""The budget of prompts: asked before every call, apart from that of embeddings."""

from contextlib import nullcontext
from dataclasses import replace
from uuid import uuid4

import pytest
from redis import Redis

from embeddings.models import ProviderUsage
from embeddings.quota import embedding_throttle
from embeddings.standin.faults import Rule
from embeddings.standin.service import StandIn
from jobs import kinds
from jobs.budget import Budget
from jobs.errors import RateLimited, ServerError
from jobs.kinds import get_kind
from jobs.models import Lease
from jobs.throttle import History, Limits
from jobs.throttle.throttle import WINDOW
from yellowbook.llm import generate, llm_throttle
from yellowbook.llm.quota import history

from .test_calls import Colour, answering

pytestmark = pytest.mark.django_db(transaction=True)

MODEL = "gemini-2.5-flash"


def ask(**changes):
    return generate("Which colour?", schema=Colour, **changes)


def test_the_settings_name_its_limits(limited) -> None:
    limited(rpm=10, tpm=250_000, rpd=250)
    assert llm_throttle().limits == Limits(
        units_per_minute=10, tokens_per_minute=250_000, units_per_day=250, reserve=0.0
    )


def test_it_is_not_the_budget_of_embeddings(limited) -> None:
    limited(rpm=10)
    assert llm_throttle().name != embedding_throttle().name


def test_each_prompt_is_one_unit_with_its_tokens(standin: StandIn, limited) -> None:
    limited(rpm=10, tpm=10_000)
    answering(standin)
    ask()
    standing = llm_throttle().look()
    assert standing.units_this_minute == 1
    assert standing.tokens_this_minute > 50


@pytest.mark.parametrize("limits", [{"rpm": 2}, {"rpd": 2}, {"tpm": 300}])
def test_without_budget_there_is_no_call_but_a_wait(standin: StandIn, limited, limits) -> None:
    limited(**limits)
    answering(standin)
    ask()
    ask()
    with pytest.raises(RateLimited, match="no budget for a prompt") as caught:
        ask()
    assert standin.log.totals()["calls"] == 2
    assert caught.value.retry_after > 1
    assert caught.value.status_code is None


def test_a_refusal_has_everybody_wait(standin: StandIn, limited) -> None:
    limited(rpm=100)
    standin.faults.add(Rule(fault="429_minute", retry_after=90))
    with pytest.raises(RateLimited) as caught:
        ask()
    assert caught.value.status_code == 429
    assert llm_throttle().reserve(1).wait > 89


def test_a_failed_call_is_paid_for_too(standin: StandIn, limited) -> None:
    limited(rpm=100)
    standin.faults.add(Rule(fault="500"))
    with pytest.raises(ServerError):
        ask()
    assert llm_throttle().look().units_this_minute == 1


@pytest.mark.parametrize("fault", [None, "500"])
def test_its_minute_starts_with_the_end_of_the_call_and_not_at_its_deadline(standin: StandIn, limited, fault) -> None:
    limited(rpm=100)
    answering(standin)
    if fault:
        standin.faults.add(Rule(fault=fault))
    with nullcontext() if fault is None else pytest.raises(ServerError):
        ask()
    (spent,) = llm_throttle().spent()
    assert spent.free_in <= WINDOW / 1000


def test_the_budget_of_a_lane_is_spent_and_no_other(standin: StandIn, limited) -> None:
    limited(rpm=1)
    answering(standin)
    budget = Budget.of(llm_throttle(), 1)
    assert ask(budget=budget).value.name == "red"
    assert llm_throttle().look().units_this_minute == 1


def test_redis_away_means_a_short_wait_where_there_are_limits(standin: StandIn, limited, monkeypatch) -> None:
    limited(rpm=10)
    throttle = llm_throttle()
    monkeypatch.setitem(throttle.__dict__, "_client", Redis(unix_socket_path="/nowhere"))
    throttle.__dict__.pop("_script", None)
    with pytest.raises(RateLimited) as caught:
        ask()
    assert caught.value.retry_after > 0
    assert standin.log.totals()["calls"] == 0


class TestHistory:
    """What a Redis without memory is taught."""

    def test_nothing_was_spent(self, standin: StandIn) -> None:
        assert history(MODEL) == History(units_today=0, unknown_for=0.0)

    def test_prompts_of_today_are_counted_and_the_last_minute_is_unknown(self, standin: StandIn) -> None:
        answering(standin)
        ask()
        ask()
        assert history(MODEL) == History(units_today=2, unknown_for=WINDOW / 1000)
        assert history("gemini-2.5-pro").units_today == 0

    def test_a_redis_that_forgot_grants_nothing_for_a_minute(self, standin: StandIn, limited) -> None:
        answering(standin)
        ask()
        limited(rpm=100)
        with pytest.raises(RateLimited):
            ask()
        assert standin.log.totals()["calls"] == 1

    @pytest.mark.parametrize("spends", [True, False])
    def test_a_job_under_way_may_be_asking(self, standin: StandIn, settings, monkeypatch, spends: bool) -> None:
        kind = replace(get_kind("generate_embedding"), name="judge", throttle=llm_throttle if spends else lambda: None)
        monkeypatch.setitem(kinds._kinds, "judge", kind)
        Lease.objects.create(id=uuid4(), kind="judge", worker="w", size=1, expires_at="2999-01-01T00:00:00Z")
        expected = WINDOW / 1000 + settings.LLM_TIMEOUT if spends else 0.0
        assert history(MODEL).unknown_for == expected


def test_usage_is_counted_apart_by_model(standin: StandIn) -> None:
    answering(standin)
    ask()
    ask(model="gemini-2.5-pro")
    rows = ProviderUsage.objects.order_by("model").values_list("provider", "model", "outcome", "texts")
    assert list(rows) == [("gemini", MODEL, "ok", 1), ("gemini", "gemini-2.5-pro", "ok", 1)]
