"""When periodic work is due."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.schedule import Daily, Every, Schedule, Weekly

#: Zones with changes of the clock in both directions, one without, and one that is not on the hour.
ZONES = [UTC, ZoneInfo("Europe/Berlin"), ZoneInfo("America/Los_Angeles"), ZoneInfo("Asia/Ulaanbaatar")]

moments = st.datetimes(
    min_value=datetime(1990, 1, 1),
    max_value=datetime(2100, 1, 1),
    timezones=st.sampled_from([*ZONES, timezone(timedelta(hours=5, minutes=45))]),
)
hours, minutes = st.integers(0, 23), st.integers(0, 59)
everies = st.builds(Every, st.integers(1, 10**7))
dailies = st.builds(Daily, hours, minutes)
weeklies = st.builds(Weekly, st.integers(0, 6), hours, minutes)
schedules = st.one_of(everies, dailies, weeklies)


def on_schedule(schedule: Schedule, due: datetime) -> bool:
    """Tell whether a moment is one of those that a calendar schedule names."""
    due = due.astimezone(UTC)
    if isinstance(schedule, Weekly) and due.weekday() != schedule.weekday:
        return False
    assert isinstance(schedule, Daily | Weekly)
    return (due.hour, due.minute, due.second, due.microsecond) == (schedule.hour, schedule.minute, 0, 0)


@given(schedules, moments)
def test_the_next_due_time_is_strictly_later_and_in_utc(schedule, moment) -> None:
    due = schedule.after(moment)
    assert due.astimezone(UTC) > moment.astimezone(UTC)
    assert due.utcoffset() == timedelta(0)


@given(schedules, moments)
def test_it_does_not_depend_on_the_zone_that_the_moment_is_told_in(schedule, moment) -> None:
    assert schedule.after(moment) == schedule.after(moment.astimezone(UTC))


@given(everies, moments)
def test_again_and_again_is_so_many_seconds_of_real_time_later(schedule, moment) -> None:
    passed = schedule.after(moment).astimezone(UTC) - moment.astimezone(UTC)
    assert passed == timedelta(seconds=schedule.seconds)


@given(st.one_of(dailies, weeklies), moments)
def test_a_due_time_is_on_the_schedule_and_none_lies_between(schedule, moment) -> None:
    due = schedule.after(moment)
    assert on_schedule(schedule, due)
    length = timedelta(days=1 if isinstance(schedule, Daily) else 7)
    assert due.astimezone(UTC) - moment.astimezone(UTC) <= length
    assert on_schedule(schedule, due - length), "so the one before lies at or before the moment"


@given(st.one_of(dailies, weeklies), moments, st.timedeltas(timedelta(0), timedelta(days=8)))
def test_any_moment_before_a_due_time_leads_to_the_same_one_or_an_earlier(schedule, moment, earlier) -> None:
    assert schedule.after(moment - earlier) <= schedule.after(moment)


@given(st.one_of(dailies, weeklies), moments)
def test_the_due_time_itself_leads_to_the_next_one(schedule, moment) -> None:
    due = schedule.after(moment)
    length = timedelta(days=1 if isinstance(schedule, Daily) else 7)
    assert schedule.after(due) == due + length
    assert schedule.after(due - timedelta(microseconds=1)) == due


@pytest.mark.parametrize(
    "declare",
    [
        lambda: Every(0),
        lambda: Every(-5),
        lambda: Daily(24),
        lambda: Daily(-1),
        lambda: Daily(3, 60),
        lambda: Weekly(7, 3),
        lambda: Weekly(-1, 3),
        lambda: Weekly(0, 24),
        lambda: Weekly(0, 3, -1),
    ],
)
def test_a_time_that_never_comes_is_refused_where_it_is_declared(declare) -> None:
    with pytest.raises(ValueError, match="schedule"):
        declare()


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        (Every(1), "every 1 s"),
        (Every(90), "every 90 s"),
        (Every(60), "every minute"),
        (Every(7200), "every 2 hours"),
        (Every(86_400), "every day"),
        (Daily(2), "every day at 02:00 UTC"),
        (Weekly(6, 23, 5), "every Sunday at 23:05 UTC"),
    ],
)
def test_it_is_said_in_words(schedule, words) -> None:
    assert str(schedule) == words


@given(schedules)
def test_every_schedule_can_be_said(schedule) -> None:
    assert str(schedule).startswith("every ")
