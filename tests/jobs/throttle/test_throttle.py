"""The shared budget: many processes, a Redis that forgets, goes away, or has another idea of the time."""

import time
from datetime import UTC, datetime
from functools import partial

import pytest
from redis import Redis, RedisError

from jobs.throttle import Grant, History
from jobs.throttle import throttle as module
from tests.concurrency import at_once

from .clock import later, new_throttle, server_time, twin


class TestManyAtOnce:
    """Processes and threads share one budget."""

    @pytest.mark.parametrize("limits", [{"units_per_minute": 50}, {"units_per_day": 50}])
    def test_eight_that_reserve_at_once_never_get_more_than_the_limit(self, redis_client: Redis, limits) -> None:
        throttle = new_throttle(redis_client, **limits)
        others = [twin(throttle, redis_client) for _ in range(8)]
        grants = at_once(*[lambda each=each: [each.reserve(7) for _ in range(5)] for each in others])
        flat = [grant for found in grants for grant in found]
        assert sum(grant.units for grant in flat) == 50
        assert len({grant.id for grant in flat}) == 40

    def test_eight_that_spend_tokens_at_once_never_spend_more_than_the_limit(self, redis_client: Redis) -> None:
        throttle = new_throttle(redis_client, tokens_per_minute=1000, reserve=0.0)
        grants = [throttle.reserve(1) for _ in range(8)]
        spent = at_once(*[partial(throttle.spend, grant, 300, use_reserve=True) for grant in grants])
        assert sum(done for done, _, _ in spent) == 3
        assert throttle.look().tokens_this_minute == 900

    def test_two_that_reserve_all_and_need_little_do_not_keep_the_rest(self, redis_client: Redis) -> None:
        throttle = new_throttle(redis_client, units_per_minute=10)
        for _ in range(5):
            throttle.refund(throttle.reserve(10), kept=1)
        assert throttle.look().units_this_minute == 5
        assert throttle.reserve(10).units == 5


class TestRefunds:
    """Giving back creates nothing."""

    def test_the_same_units_given_back_twice_count_once(self, redis_client: Redis) -> None:
        throttle = new_throttle(redis_client, units_per_minute=10, units_per_day=10)
        throttle.reserve(4)
        grant = throttle.reserve(4)
        for _ in range(3):
            throttle.refund(grant, kept=0)
        standing = throttle.look()
        assert (standing.units_this_minute, standing.units_today) == (4, 4)

    def test_more_kept_than_granted_changes_nothing(self, redis_client: Redis) -> None:
        throttle = new_throttle(redis_client, units_per_minute=10, units_per_day=10)
        grant = throttle.reserve(3)
        throttle._run("refund", grant.id, 9)
        standing = throttle.look()
        assert (standing.units_this_minute, standing.units_today) == (3, 3)

    def test_a_refund_after_midnight_does_not_add_to_the_new_day(self, redis_client: Redis, monkeypatch) -> None:
        throttle = new_throttle(redis_client, units_per_day=10, reserve=0.0)
        day = {"now": datetime(2026, 5, 1, 6, 59, 59, tzinfo=UTC)}
        monkeypatch.setattr(throttle, "_now", lambda: day["now"])
        before = throttle.reserve(8)
        day["now"] = datetime(2026, 5, 1, 7, 0, 1, tzinfo=UTC)
        assert throttle.reserve(10).units == 10
        throttle.refund(before, kept=0)
        assert throttle.reserve(10).units == 0, "more than the limit of one day"

    def test_an_unknown_grant_is_given_back_and_ended_without_effect(self, redis_client: Redis) -> None:
        throttle = new_throttle(redis_client, units_per_minute=10)
        throttle.reserve(3)
        stranger = Grant("never seen", 5, 5)
        throttle.refund(stranger, kept=0)
        throttle.done(stranger)
        assert throttle.look().units_this_minute == 3
        with pytest.raises(LookupError):
            throttle.spend(stranger, 1, use_reserve=True)


class TestTheWindow:
    """A unit counts from the end of its call."""

    def test_a_long_call_counts_a_minute_from_its_end(self, redis_client: Redis) -> None:
        throttle = new_throttle(redis_client, units_per_minute=2)
        grant = throttle.reserve(2)
        later(throttle, redis_client, 25)
        throttle.done(grant)
        later(throttle, redis_client, 59)
        assert throttle.reserve(1).units == 0
        later(throttle, redis_client, 2)
        assert throttle.reserve(2).units == 2

    def test_a_call_whose_worker_died_counts_a_minute_from_its_deadline(self, redis_client: Redis) -> None:
        throttle = new_throttle(redis_client, units_per_minute=2, deadline=30.0)
        throttle.reserve(2)
        later(throttle, redis_client, 89)
        assert throttle.reserve(1).units == 0
        later(throttle, redis_client, 2)
        assert throttle.reserve(2).units == 2

    def test_what_has_passed_is_forgotten_in_redis_too(self, redis_client: Redis) -> None:
        throttle = new_throttle(redis_client, units_per_minute=5)
        for _ in range(5):
            throttle.done(throttle.reserve(1))
        later(throttle, redis_client, 61)
        throttle.look()
        prefix = f"throttle:{{{throttle.name}}}"
        assert redis_client.zcard(f"{prefix}:log") == redis_client.hlen(f"{prefix}:amounts") == 0
        throttle.reserve(1)
        assert all(redis_client.ttl(f"{prefix}:{key}") > 60 for key in ("log", "amounts"))


class TestTheReserve:
    """Only priority `high` may have it."""

    def test_ordinary_work_leaves_it_alone_and_is_told_when_there_is_more(self, redis_client: Redis) -> None:
        throttle = new_throttle(redis_client, units_per_minute=10, reserve=0.2)
        first = throttle.reserve(10)
        assert (first.units, first.ordinary) == (10, 8)
        throttle.refund(first, kept=8)
        throttle.done(first)
        second = throttle.reserve(10)
        assert (second.units, second.ordinary) == (2, 0)
        assert 59 < second.wait <= 60.25
        throttle.refund(second, kept=0)
        later(throttle, redis_client, second.wait)
        assert throttle.reserve(10).ordinary == 8

    def test_ordinary_work_waits_no_longer_than_until_the_first_unit_beyond_the_reserve(self, redis_client) -> None:
        throttle = new_throttle(redis_client, units_per_minute=10, reserve=0.1)
        throttle.done(throttle.reserve(1))
        later(throttle, redis_client, 50)
        grant = throttle.reserve(10)
        throttle.refund(grant, kept=8)
        throttle.done(grant)
        found = throttle.reserve(10)
        throttle.refund(found, kept=0)
        assert (found.units, found.ordinary) == (1, 0)
        assert found.wait < 12, "the unit that is 50 seconds old makes room for ordinary work"

    def test_tokens_of_the_reserve_are_for_urgent_texts_only(self, redis_client: Redis) -> None:
        throttle = new_throttle(redis_client, tokens_per_minute=100, reserve=0.2)
        first = throttle.reserve(5)
        assert throttle.spend(first, 80, use_reserve=False) == (True, 0, 0.0)
        second = throttle.reserve(5)
        assert second.ordinary == 0
        done, room, wait = throttle.spend(second, 1, use_reserve=False)
        assert (done, room) == (False, 0)
        assert wait > 0
        assert throttle.spend(second, 20, use_reserve=True)[0]
        assert throttle.reserve(1).units == 0


class TestTokens:
    """Texts and tokens have budgets of their own."""

    def test_a_text_that_no_minute_has_room_for_goes_when_nothing_else_does(self, redis_client: Redis) -> None:
        throttle = new_throttle(redis_client, tokens_per_minute=100, reserve=0.0)
        small, large = throttle.reserve(1), throttle.reserve(1)
        assert throttle.spend(small, 10, use_reserve=True)[0]
        done, _, wait = throttle.spend(large, 500, use_reserve=True)
        assert not done
        throttle.refund(large, kept=0)
        throttle.done(small)
        later(throttle, redis_client, wait)
        assert throttle.spend(throttle.reserve(1), 500, use_reserve=True)[0]
        assert throttle.reserve(1).units == 0

    def test_an_ordinary_text_that_only_the_reserve_has_room_for_is_not_left_for_ever(self, redis_client) -> None:
        throttle = new_throttle(redis_client, tokens_per_minute=100, reserve=0.2)
        assert throttle.spend(throttle.reserve(1), 90, use_reserve=False)[0]


class TestBlocks:
    """The provider refused all the same."""

    def test_nobody_gets_anything_until_it_is_over(self, redis_client: Redis) -> None:
        throttle = new_throttle(redis_client, units_per_minute=10)
        other = twin(throttle, redis_client)
        assert other.reserve(1).units == 1
        throttle.block(60)
        grant = other.reserve(1)
        assert (grant.units, grant.ordinary) == (0, 0)
        assert 59 < grant.wait <= 60
        later(throttle, redis_client, 60)
        assert other.reserve(1).units == 1

    def test_a_shorter_block_does_not_end_a_longer_one(self, redis_client: Redis) -> None:
        throttle = new_throttle(redis_client, units_per_minute=10)
        assert throttle.reserve(1).units == 1
        throttle.block(300)
        throttle.block(1)
        assert throttle.reserve(1).wait > 290

    def test_a_person_may_lift_it(self, redis_client: Redis) -> None:
        throttle = new_throttle(redis_client, units_per_minute=10)
        assert throttle.reserve(1).units == 1
        throttle.block(300)
        assert throttle.reserve(1).units == 0
        throttle.unblock()
        assert throttle.reserve(1).units == 1


class TestRedisThatForgot:
    """FLUSHALL, a restart without its file, an eviction."""

    def test_it_is_taught_once_grants_nothing_while_unknown_and_remembers_the_day(self, redis_client: Redis) -> None:
        taught: list[int] = []

        def history() -> History:
            taught.append(1)
            return History(units_today=7, unknown_for=60.0)

        throttle = new_throttle(redis_client, units_per_minute=10, units_per_day=10, reserve=0.0, history=history)
        redis_client.flushall()
        first = throttle.reserve(5)
        assert (first.units, taught) == (0, [1])
        assert 59 < first.wait <= 60
        assert throttle.look().units_today == 7
        later(throttle, redis_client, 60)
        assert throttle.reserve(5).units == 3
        assert throttle.reserve(5).wait == pytest.approx(throttle.seconds_until_reset(), abs=2)
        assert taught == [1]
        redis_client.flushall()
        assert throttle.reserve(5).units == 0
        assert taught == [1, 1]

    def test_eight_that_teach_at_once_leave_one_lesson(self, redis_client: Redis) -> None:
        throttle = new_throttle(redis_client, units_per_day=100)
        lessons = [History(units_today=40, unknown_for=0.0)] * 8
        others = [twin(throttle, redis_client, history=lambda each=each: each) for each in lessons]
        granted = at_once(*[partial(each.reserve, 5) for each in others])
        assert throttle.look().units_today == 40 + sum(grant.units for grant in granted) == 80

    def test_a_call_under_way_ends_without_harm(self, redis_client: Redis) -> None:
        throttle = new_throttle(redis_client, units_per_minute=10, tokens_per_minute=100)
        grant = throttle.reserve(3)
        redis_client.flushall()
        with pytest.raises(LookupError):
            throttle.spend(grant, 10, use_reserve=True)
        throttle.refund(grant, kept=0)
        throttle.done(grant)
        assert throttle.look() is None

    def test_a_block_that_came_before_the_lesson_stays(self, redis_client: Redis) -> None:
        throttle = new_throttle(redis_client, units_per_minute=10)
        throttle.reserve(1)
        redis_client.flushall()
        throttle.block(300)
        assert throttle.reserve(1).wait > 290

    def test_a_block_lifted_by_a_person_does_not_make_the_last_minute_known(self, redis_client: Redis) -> None:
        throttle = new_throttle(redis_client, units_per_minute=10, history=lambda: History(0, unknown_for=60.0))
        throttle.reserve(1)
        throttle.unblock()
        assert throttle.reserve(1).units == 0


class TestRedisThatIsAway:
    """No answer: nothing is granted, nothing is raised."""

    @pytest.fixture
    def away(self):
        client = Redis.from_url("unix:///nonexistent/yellowbook.sock")
        yield new_throttle(client, units_per_minute=10)
        client.close()

    def test_it_grants_nothing_and_says_when_to_ask_again(self, away) -> None:
        grant = away.reserve(5)
        assert (grant.units, grant.ordinary) == (0, 0)
        assert grant.wait == module.WITHOUT_REDIS

    def test_nothing_but_spending_raises(self, away) -> None:
        grant = Grant("g", 5, 5)
        away.refund(grant, kept=1)
        away.done(grant)
        away.block(60)
        away.unblock()
        assert away.look() is None
        with pytest.raises(RedisError):
            away.spend(grant, 1, use_reserve=True)


class TestClocks:
    """Hosts' clocks differ; the day must not."""

    @pytest.mark.parametrize("skew", [-120.0, 120.0])
    def test_hosts_two_minutes_apart_agree_on_the_day(self, redis_client: Redis, monkeypatch, skew) -> None:
        throttle = new_throttle(redis_client, units_per_day=10)
        host = twin(throttle, redis_client)
        real = time.time
        right = throttle.seconds_until_reset()
        monkeypatch.setattr(module.time, "time", lambda: real() + skew)  # type: ignore[attr-defined]
        assert host.seconds_until_reset() == pytest.approx(right, abs=5)
        assert host._now().timestamp() == pytest.approx(server_time(redis_client), abs=5)
        assert host._keys() == throttle._keys()

    def test_one_budget_per_day_and_another_on_the_next(self, redis_client: Redis, monkeypatch) -> None:
        throttle = new_throttle(redis_client, units_per_day=5, reserve=0.0)
        monkeypatch.setattr(throttle, "_now", lambda: datetime(2026, 11, 2, 7, 59, 59, tzinfo=UTC))
        assert throttle.reserve(9).units == 5
        grant = throttle.reserve(9)
        assert (grant.units, grant.wait) == (0, 1.0)
        monkeypatch.setattr(throttle, "_now", lambda: datetime(2026, 11, 2, 8, 0, 0, tzinfo=UTC))
        assert throttle.reserve(9).units == 5
