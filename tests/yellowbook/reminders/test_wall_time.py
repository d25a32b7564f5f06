"""When occasions are: tables of what clocks really did, and laws over every zone and day."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yellowbook.reminders.wall_time import END_DAY, Recurrence, moment, occurrences, reminder_moment, zone_names

DAYS = st.dates(date(1971, 1, 1), date(2199, 12, 31))
ZONES = st.sampled_from(sorted(zone_names()))
TIMES = st.times().map(lambda at: at.replace(microsecond=0))
RECURRING = st.sampled_from([Recurrence.WEEKLY, Recurrence.MONTHLY, Recurrence.YEARLY])


@pytest.mark.parametrize(
    ("zone", "day", "at", "expected"),
    [
        ("Asia/Ulaanbaatar", "2026-07-11", "09:00", "2026-07-11T01:00"),
        ("Asia/Kathmandu", "2026-07-11", "09:00", "2026-07-11T03:15"),
        # Put forward at 2:00: 2:30 never comes, and is 3:30.
        ("America/New_York", "2026-03-08", "02:30", "2026-03-08T07:30"),
        ("America/New_York", "2026-03-08", "03:30", "2026-03-08T07:30"),
        ("Europe/Berlin", "2026-03-29", "02:30", "2026-03-29T01:30"),
        # By half an hour: 2:15 is 2:45.
        ("Australia/Lord_Howe", "2026-10-04", "02:15", "2026-10-03T15:45"),
        # Put back at 2:00 or 3:00: the first 1:30, the first 2:30.
        ("America/New_York", "2026-11-01", "01:30", "2026-11-01T05:30"),
        ("Europe/Berlin", "2026-10-25", "02:30", "2026-10-25T00:30"),
        ("Australia/Lord_Howe", "2026-04-05", "01:45", "2026-04-04T14:45"),
        # Midnight itself is left out.
        ("Africa/Cairo", "2026-04-24", "00:15", "2026-04-23T22:15"),
        # 30 December 2011 never came in Samoa: it is the 31st.
        ("Pacific/Apia", "2011-12-30", "10:00", "2011-12-30T20:00"),
        ("Pacific/Apia", "2011-12-31", "10:00", "2011-12-30T20:00"),
        # Mongolia put clocks forward until 2016, at 2:00 on a Saturday.
        ("Asia/Ulaanbaatar", "2016-03-26", "02:30", "2016-03-25T18:30"),
    ],
)
def test_a_wall_time_is_the_moment_that_it_was(zone: str, day: str, at: str, expected: str) -> None:
    found = moment(date.fromisoformat(day), time.fromisoformat(at), zone)
    assert found == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@given(DAYS, TIMES, ZONES)
def test_clocks_show_the_time_that_was_asked_for_or_a_later_one_that_there_is(day: date, at: time, zone: str) -> None:
    wanted = datetime.combine(day, at)
    shown = moment(day, at, zone).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    assert wanted <= shown <= wanted + timedelta(days=1)
    if shown != wanted:
        # Nothing else maps there: the time that was asked for is left out by clocks in this zone.
        back = datetime.combine(day, at, ZoneInfo(zone)).replace(fold=1).astimezone(UTC)
        assert back.astimezone(ZoneInfo(zone)).replace(tzinfo=None) != wanted


@given(DAYS, TIMES, ZONES)
def test_of_a_time_that_comes_twice_it_is_the_first(day: date, at: time, zone: str) -> None:
    found = moment(day, at, zone)
    shown = found.astimezone(ZoneInfo(zone))
    for earlier in (30, 60, 120):
        before = (found - timedelta(minutes=earlier)).astimezone(ZoneInfo(zone))
        assert before.replace(tzinfo=None, fold=0) != shown.replace(tzinfo=None, fold=0)


def test_days_before_are_counted_on_the_calendar_when_clocks_change_in_between() -> None:
    before, on = (reminder_moment(date(2026, 3, 9), time(9), "America/New_York", offset) for offset in (-3, 0))
    assert on - before == timedelta(days=3) - timedelta(hours=1)


def _first(number: int, first: str, recurrence: Recurrence, start: str) -> list[str]:
    found = occurrences(date.fromisoformat(first), recurrence, date.fromisoformat(start))
    return [day.isoformat() for day in islice(found, number)]


@pytest.mark.parametrize(
    ("first", "recurrence", "start", "expected"),
    [
        ("2026-01-31", Recurrence.NONE, "2026-01-01", ["2026-01-31"]),
        ("2026-01-31", Recurrence.NONE, "2026-02-01", []),
        ("2026-01-31", Recurrence.WEEKLY, "2026-02-02", ["2026-02-07", "2026-02-14", "2026-02-21"]),
        ("2026-01-31", Recurrence.MONTHLY, "2026-01-01", ["2026-01-31", "2026-02-28", "2026-03-31"]),
        ("2026-12-31", Recurrence.MONTHLY, "2027-01-31", ["2027-01-31", "2027-02-28", "2027-03-31"]),
        ("2024-02-29", Recurrence.YEARLY, "2026-03-01", ["2027-02-28", "2028-02-29", "2029-02-28"]),
        ("1961-04-12", Recurrence.YEARLY, "2026-04-13", ["2027-04-12", "2028-04-12", "2029-04-12"]),
        ("2198-06-01", Recurrence.YEARLY, "2198-01-01", ["2198-06-01", "2199-06-01"]),
    ],
)
def test_occurrences(first: str, recurrence: Recurrence, start: str, expected: list[str]) -> None:
    assert _first(3, first, recurrence, start) == expected


@given(DAYS, RECURRING, DAYS)
def test_starting_later_leaves_out_what_came_before_and_nothing_else(
    first: date, recurrence: Recurrence, start: date
) -> None:
    found = list(islice(occurrences(first, recurrence, start), 5))
    assert found == sorted(set(found))
    assert all(start <= day < END_DAY and day >= first for day in found)
    if found and found[0] > first:
        gap = {Recurrence.WEEKLY: 7, Recurrence.MONTHLY: 31, Recurrence.YEARLY: 366}[recurrence]
        assert found[0] - max(start, first) < timedelta(days=gap)
