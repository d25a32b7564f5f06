"""What a provider allows, and when its day begins."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.throttle import Limits
from jobs.throttle.limits import next_reset

PACIFIC = ZoneInfo("America/Los_Angeles")


@pytest.mark.parametrize(
    ("now", "reset"),
    [
        ("2026-01-15T12:00:00", "2026-01-16T08:00:00"),  # winter: UTC-8
        ("2026-07-15T12:00:00", "2026-07-16T07:00:00"),  # summer: UTC-7
        ("2026-03-08T08:00:00", "2026-03-09T07:00:00"),  # the day of 23 hours begins
        ("2026-03-08T07:59:59", "2026-03-08T08:00:00"),
        ("2026-11-01T07:00:00", "2026-11-02T08:00:00"),  # the day of 25 hours begins
        ("2026-11-02T07:59:59", "2026-11-02T08:00:00"),
        ("2026-12-31T23:00:00", "2027-01-01T08:00:00"),
    ],
)
def test_the_day_begins_at_midnight_pacific_time_in_summer_and_in_winter(now, reset) -> None:
    found = next_reset(datetime.fromisoformat(now).replace(tzinfo=UTC))
    assert found.astimezone(UTC) == datetime.fromisoformat(reset).replace(tzinfo=UTC)


@given(st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)))
def test_the_next_midnight_is_always_ahead_and_at_most_25_hours_away(now) -> None:
    reset = next_reset(now)
    assert timedelta(0) < reset.astimezone(UTC) - now <= timedelta(hours=25)
    local = reset.astimezone(PACIFIC)
    assert (local.hour, local.minute, local.second) == (0, 0, 0)
    assert next_reset(reset - timedelta(microseconds=1)) == reset


@pytest.mark.parametrize(
    ("limit", "reserve", "reserved"),
    [(0, 0.05, 0), (1, 0.05, 0), (2, 0.05, 1), (15, 0.05, 1), (1000, 0.05, 50), (10, 0.0, 0), (10, 1.0, 10)],
)
def test_the_reserve_is_a_share_of_the_limit_and_never_the_only_unit(limit, reserve, reserved) -> None:
    assert Limits(reserve=reserve).reserved(limit) == reserved


@given(st.integers(0, 10**6), st.floats(0, 1))
def test_the_reserve_is_never_more_than_the_limit(limit, reserve) -> None:
    assert 0 <= Limits(reserve=reserve).reserved(limit) <= limit


def test_no_limit_at_all_is_unlimited_and_any_is_not() -> None:
    assert Limits().unlimited
    for limited in ({"units_per_minute": 1}, {"tokens_per_minute": 1}, {"units_per_day": 1}):
        assert not Limits(**limited).unlimited


@pytest.mark.parametrize(
    ("limit", "allowed", "reserved"), [(0, 0, 0), (1, 1, 0), (2, 2, 1), (15, 15, 1), (100, 98, 3), (3000, 2940, 90)]
)
def test_what_is_withheld_is_a_part_of_the_reserve_and_nothing_of_a_small_budget(limit, allowed, reserved) -> None:
    limits = Limits(reserve=0.05, withheld=0.02)
    assert (limits.allowed(limit), limits.reserved(limit)) == (allowed, reserved)
    # Ordinary work has as much as it would have if nothing were withheld.
    if limit > 1:
        assert limits.allowed(limit) - limits.reserved(limit) == limit - Limits(reserve=0.05).reserved(limit)
