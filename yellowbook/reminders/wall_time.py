"""When an occasion is, and when to remind of it. Pure: dates, wall clocks and time zones in, moments in UTC out.

An occasion is at a time of day somewhere, and a reminder some days before it at the same time of day: days are counted
on the calendar, not in spans of 24 hours, so a reminder stays at nine o'clock when clocks change in between.
"""

import calendar
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

#: Days of occasions: from this one on. Time zones are guesses for years much further away.
FIRST_DAY: Final = date(1900, 1, 1)
#: And before this one.
END_DAY: Final = date(2200, 1, 1)


class Recurrence(StrEnum):
    """How an occasion comes again."""

    NONE = "none"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    YEARLY = "yearly"


@cache
def zone_names() -> frozenset[str]:
    """Return the names of IANA's time zones."""
    return frozenset(available_timezones())


def moment(day: date, at: time, zone: str) -> datetime:
    """Return the moment in UTC at which clocks in `zone` show `at` on `day`.

    A time that comes twice, when clocks are put back, is the first one. One that never comes, when they are put
    forward, is as much later as they are: 02:30 is 03:30 then (PEP 495 calls both `fold=0`). A day that a zone left
    out, like 30 December 2011 in Samoa, is the next one for the same reason.
    """
    return datetime.combine(day, at.replace(tzinfo=None, fold=0), ZoneInfo(zone)).astimezone(UTC)


def occurrences(first: date, recurrence: Recurrence, start: date) -> Iterator[date]:
    """Yield the days of an occasion from `start` on, before `END_DAY`.

    A day that a month does not have, like the 31st or 29 February, is the last one of that month; the months after
    have the day that was asked for again.
    """
    number = 0 if start <= first else _number(first, recurrence, start)
    while (day := _occurrence(first, recurrence, number)) is not None:
        if day >= start:
            yield day
        number += 1


def reminder_moment(occurrence: date, at: time, zone: str, offset: int) -> datetime:
    """Return the moment in UTC, `offset` days (0 or negative) from an occurrence, to remind of it."""
    return moment(occurrence + timedelta(days=offset), at, zone)


def _number(first: date, recurrence: Recurrence, start: date) -> int:
    """Return the number of an occurrence at or shortly before `start`."""
    months = (start.year - first.year) * 12 + start.month - first.month
    return {
        Recurrence.NONE: 0,
        Recurrence.WEEKLY: (start - first).days // 7,
        Recurrence.MONTHLY: months,
        Recurrence.YEARLY: start.year - first.year,
    }[recurrence]


def _occurrence(first: date, recurrence: Recurrence, number: int) -> date | None:
    """Return the occurrence of a number, 0 being the first; None from `END_DAY` on, and for one that never comes."""
    if recurrence is Recurrence.NONE:
        return first if number == 0 else None
    if recurrence is Recurrence.WEEKLY:
        day = first + timedelta(weeks=number)
    else:
        months = first.month - 1 + number * (12 if recurrence is Recurrence.YEARLY else 1)
        year, month = first.year + months // 12, months % 12 + 1
        day = date(year, month, min(first.day, calendar.monthrange(year, month)[1]))
    return day if day < END_DAY else None
