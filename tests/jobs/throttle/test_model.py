"""The budget against a simple model: whatever happens, the provider never sees more than it allows."""

from dataclasses import dataclass

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from redis import Redis

from jobs.budget import Budget, Cost
from jobs.throttle import Grant
from tests.jobs.conftest import REDIS_URL

from .clock import later, new_throttle, server_time

#: What the provider calls a minute, and what no budget may be held back for longer than.
MINUTE, SLACK = 60.0, 1.5
DEADLINE = 30.0


@dataclass
class Call:
    """A call as the provider may see it: at any moment until its end."""

    grant: Grant
    units: int
    tokens: int
    end: float | None
    deadline: float

    def counts(self, at: float, window: float) -> bool:
        """Tell whether a call made at `at` may share a window with this one."""
        return (self.deadline if self.end is None else self.end) > at - window


class BudgetMachine(RuleBasedStateMachine):
    """Two processes reserve, spend, give back, end their calls and are refused, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.client = Redis.from_url(REDIS_URL)
        self.passed = 0.0
        self.calls: list[Call] = []
        self.today = 0
        self.blocked_until = 0.0

    @initialize(
        per_minute=st.sampled_from([0, 1, 2, 5, 15, 100]),
        tokens=st.sampled_from([0, 100, 1000]),
        per_day=st.sampled_from([0, 1, 20, 40]),
        reserve=st.sampled_from([0.0, 0.05, 0.3, 1.0]),
    )
    def begin(self, per_minute: int, tokens: int, per_day: int, reserve: float) -> None:
        self.throttle = new_throttle(
            self.client,
            units_per_minute=per_minute,
            tokens_per_minute=tokens,
            units_per_day=per_day,
            reserve=reserve,
            deadline=DEADLINE,
        )
        self.limits = self.throttle.limits
        self.throttle.refund(self.throttle.reserve(1), kept=0)

    def now(self) -> float:
        return server_time(self.client) + self.passed

    def used(self, window: float) -> tuple[int, int]:
        found = [call for call in self.calls if call.counts(self.now(), window)]
        return sum(call.units for call in found), sum(call.tokens for call in found)

    @rule(
        wanted=st.integers(1, 30),
        part=st.floats(0, 1),
        tokens_each=st.integers(1, 60),
        urgent=st.booleans(),
        ends=st.booleans(),
    )
    def call(self, wanted: int, part: float, tokens_each: int, urgent: bool, ends: bool) -> None:
        limits = self.limits
        fewest_units, fewest_tokens = self.used(MINUTE)
        most_units, most_tokens = self.used(MINUTE + SLACK)
        blocked = self.blocked_until > self.now()
        grant = self.throttle.reserve(wanted)
        assert 0 <= grant.ordinary <= grant.units <= wanted
        if grant.units:
            assert not blocked or self.blocked_until - self.now() < SLACK, "granted while blocked"
            assert not limits.units_per_minute or fewest_units + grant.units <= limits.units_per_minute
            assert not limits.units_per_day or self.today + grant.units <= limits.units_per_day
            assert not limits.tokens_per_minute or fewest_tokens < limits.tokens_per_minute
        else:
            assert grant.wait > 0
        if grant.ordinary:
            left_alone = limits.reserved(limits.units_per_minute)
            assert not limits.units_per_minute or fewest_units + grant.ordinary <= limits.units_per_minute - left_alone
            left_alone = limits.reserved(limits.units_per_day)
            assert not limits.units_per_day or self.today + grant.ordinary <= limits.units_per_day - left_alone
        if not blocked and not (limits.tokens_per_minute and most_tokens >= limits.tokens_per_minute):
            room = [wanted]
            if limits.units_per_minute:
                room.append(limits.units_per_minute - most_units)
            if limits.units_per_day:
                room.append(limits.units_per_day - self.today)
            assert grant.units >= max(0, min(room)), "less than there is"
        if not grant.units:
            return
        kept = int((grant.units if urgent else grant.ordinary) * part)
        budget = Budget(self.throttle, grant)
        budget.keep(kept)
        taken = budget.take([Cost(tokens_each, urgent)] * kept)
        limit = limits.tokens_per_minute
        usable = limit if urgent else limit - limits.reserved(limit)
        if limit and taken:
            assert fewest_tokens + taken * tokens_each <= usable, "more tokens than there are"
        if limit and taken < kept:
            assert most_tokens + (taken + 1) * tokens_each > usable, "refused what fits"
        if not limit:
            assert taken == kept
        if taken:
            self.today += taken
            self.calls.append(Call(grant, taken, taken * tokens_each, None, self.now() + DEADLINE))
            if ends:
                self.end(len(self.calls) - 1)

    @rule(data=st.data())
    @precondition(lambda self: self.under_way())
    def done(self, data: st.DataObject) -> None:
        self.end(data.draw(st.sampled_from(self.under_way())))

    def under_way(self) -> list[int]:
        return [n for n, call in enumerate(self.calls) if call.end is None and self.now() < call.deadline - SLACK]

    def end(self, number: int) -> None:
        call = self.calls[number]
        self.throttle.done(call.grant)
        call.end = self.now()

    @rule(data=st.data(), kept=st.integers(0, 30))
    @precondition(lambda self: self.calls)
    def give_back_more_than_is_left(self, data: st.DataObject, kept: int) -> None:
        """A refund that keeps at least what was kept before changes nothing, however often it comes."""
        call = data.draw(st.sampled_from(self.calls))
        self.throttle.refund(call.grant, kept=call.units + kept)

    @rule(seconds=st.sampled_from([1.0, 5.0, 20.0, 29.0, 45.0, 59.0, 61.0, 100.0]))
    def time_passes(self, seconds: float) -> None:
        later(self.throttle, self.client, seconds)
        self.passed += seconds

    @rule(seconds=st.sampled_from([3.0, 60.0, 300.0]))
    def block(self, seconds: float) -> None:
        self.throttle.block(seconds)
        self.blocked_until = max(self.blocked_until, self.now() + seconds)

    @rule()
    def wait_as_told(self) -> None:
        """What it says is enough, and not too much: with nothing happening meanwhile there is a unit then."""
        for reason in ("block", "tokens", "units"):
            grant = self.throttle.reserve(1)
            self.throttle.refund(grant, kept=0)
            if grant.units:
                return
            if self.limits.units_per_day and self.today >= self.limits.units_per_day and grant.wait > 400:
                assert grant.wait == pytest.approx(self.throttle.seconds_until_reset(), abs=2)
                return
            assert grant.wait <= max(MINUTE + DEADLINE + SLACK, self.blocked_until - self.now() + SLACK), reason
            if grant.wait > SLACK:
                self.time_passes(grant.wait - SLACK)
                early = self.throttle.reserve(1)
                self.throttle.refund(early, kept=0)
                assert not early.units, "it could have said less"
                self.time_passes(SLACK)
            else:
                self.time_passes(grant.wait)
        grant = self.throttle.reserve(1)
        self.throttle.refund(grant, kept=0)
        over_today = self.limits.units_per_day and self.today >= self.limits.units_per_day
        assert grant.units or over_today, "three waits were not enough"

    @invariant()
    def it_counts_what_the_model_counts(self) -> None:
        if not hasattr(self, "throttle") or (standing := self.throttle.look()) is None:
            return
        fewest, most = self.used(MINUTE), self.used(MINUTE + SLACK)
        assert fewest[0] <= standing.units_this_minute <= most[0]
        assert fewest[1] <= standing.tokens_this_minute <= most[1]
        assert standing.units_today == self.today

    def teardown(self) -> None:
        self.client.close()


def test_no_order_of_events_spends_more_than_the_provider_allows() -> None:
    quick = settings(
        max_examples=100, stateful_step_count=20, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate]
    )
    run_state_machine_as_test(BudgetMachine, settings=quick)
