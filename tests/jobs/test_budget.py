"""The part of a budget that one turn of a lane spends."""

from collections.abc import Callable
from typing import Any

import pytest
from redis import Redis

from jobs.budget import Budget, Cost
from jobs.throttle import Throttle
from jobs.throttle.throttle import WITHOUT_REDIS

from .support import MakeKind
from .throttle.clock import later, new_throttle

Open = Callable[..., tuple[Budget, Throttle]]


@pytest.fixture
def opened(make_kind: MakeKind, redis_client: Redis) -> Open:
    """Open a budget of a throttle with the given limits."""

    def make(wanted: int = 10, **limits: Any) -> tuple[Budget, Throttle]:
        throttle = new_throttle(redis_client, **limits)
        return Budget.open(make_kind(throttle=lambda: throttle), wanted), throttle

    return make


def again(make_kind: MakeKind, throttle: Throttle, wanted: int = 10) -> Budget:
    return Budget.open(make_kind(throttle=lambda: throttle), wanted)


@pytest.mark.parametrize("limits", [None, {}])
def test_without_limits_there_is_as_much_as_one_wants(opened, make_kind, limits) -> None:
    budget = again(make_kind, None) if limits is None else opened(**limits)[0]
    assert (budget.units, budget.ordinary, budget.short_for) == (None, None, 0.0)
    assert budget.take([Cost(10**9)] * 100) == 100
    budget.keep(0)
    budget.done()
    budget.block(1)


def test_what_fits_is_the_longest_beginning_by_tokens(opened: Open) -> None:
    budget, throttle = opened(tokens_per_minute=100, reserve=0.0)
    assert budget.take([Cost(40), Cost(40), Cost(40), Cost(1)]) == 2
    standing = throttle.look()
    assert (standing.tokens_this_minute, standing.units_this_minute) == (80, 2)


def test_many_texts_that_together_are_larger_than_the_budget_do_not_go_together(opened: Open) -> None:
    """Only a single text that no minute has room for may be over the limit."""
    budget, throttle = opened(tokens_per_minute=100, reserve=0.0)
    assert budget.take([Cost(30)] * 10) == 3
    assert throttle.look().tokens_this_minute == 90


def test_a_text_larger_than_the_whole_budget_goes_alone(opened: Open, make_kind: MakeKind, redis_client) -> None:
    budget, throttle = opened(tokens_per_minute=100, reserve=0.2)
    assert budget.take([Cost(500), Cost(1)]) == 1
    budget.done()
    assert again(make_kind, throttle).units == 0
    later(throttle, redis_client, 61)
    assert again(make_kind, throttle).units == 10


def test_a_large_text_behind_others_waits_for_its_turn(opened: Open, make_kind: MakeKind, redis_client) -> None:
    budget, throttle = opened(tokens_per_minute=100, reserve=0.0)
    assert budget.take([Cost(10), Cost(500)]) == 1
    budget.done()
    second = again(make_kind, throttle)
    assert second.take([Cost(500)]) == 0
    assert 59 < second.short_for <= 60.25
    later(throttle, redis_client, second.short_for)
    assert again(make_kind, throttle).take([Cost(500)]) == 1


def test_urgent_texts_may_use_the_tokens_of_the_reserve_and_others_not(opened: Open, make_kind: MakeKind) -> None:
    budget, throttle = opened(tokens_per_minute=100, reserve=0.2)
    assert budget.take([Cost(80)]) == 1
    ordinary = again(make_kind, throttle)
    assert ordinary.take([Cost(1)]) == 0
    assert ordinary.short_for > 0
    mixed = again(make_kind, throttle)
    assert mixed.take([Cost(10, urgent=True), Cost(1)]) == 1
    assert throttle.look().tokens_this_minute == 90


def test_what_was_not_sent_is_given_back(opened: Open) -> None:
    budget, throttle = opened(units_per_minute=10, units_per_day=100, reserve=0.0)
    budget.keep(6)
    assert (budget.units, budget.ordinary) == (6, 6)
    budget.keep(8)
    assert budget.units == 6, "what was given back does not return"
    assert budget.take([Cost(1)] * 4) == 4
    standing = throttle.look()
    assert (standing.units_this_minute, standing.units_today) == (4, 4)
    budget.keep(0)
    assert throttle.look().units_today == 0


def test_without_units_it_is_short_for_as_long_as_the_throttle_says(opened: Open, make_kind: MakeKind) -> None:
    budget, throttle = opened(units_per_minute=3, reserve=0.0)
    assert (budget.units, budget.short_for) == (3, 0.0)
    budget.done()
    late = again(make_kind, throttle)
    assert late.units == 0
    assert 59 < late.short_for <= 60.25


def test_a_lost_grant_sends_nothing_and_is_asked_for_again_soon(opened: Open, redis_client: Redis) -> None:
    budget, _ = opened(units_per_minute=10)
    redis_client.flushall()
    assert budget.take([Cost(1)]) == 0
    assert budget.short_for == WITHOUT_REDIS


def test_the_minute_of_what_was_sent_starts_with_the_end_of_the_call(opened: Open, make_kind, redis_client) -> None:
    budget, throttle = opened(units_per_minute=10, reserve=0.0)
    budget.take([Cost(1)] * 10)
    later(throttle, redis_client, 20)
    budget.done()
    later(throttle, redis_client, 59)
    assert again(make_kind, throttle).units == 0
    later(throttle, redis_client, 2)
    assert again(make_kind, throttle).units == 10


def test_a_block_is_for_everybody(opened: Open, make_kind: MakeKind) -> None:
    budget, throttle = opened(units_per_minute=10)
    budget.block(60)
    other = again(make_kind, throttle)
    assert other.units == 0
    assert other.short_for > 59
