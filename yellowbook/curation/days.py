"""Which day is meant: days are those of UTC, and the collections of a day are made at `CURATION_AT`."""

from datetime import date, datetime, timedelta
from typing import Final

from django.conf import settings

from jobs import clock

#: Days before and after today for which collections may be asked for.
FURTHEST: Final = 30


def today() -> date:
    """Return the day that it is."""
    return clock.now().date()


def due_day(moment: datetime) -> date:
    """Return the newest day whose collections should have been begun by `moment`, which is in UTC."""
    at = settings.CURATION_AT
    return (moment - timedelta(hours=at.hour, minutes=at.minute)).date()


def within_reach(day: date) -> bool:
    """Tell whether collections of `day` may be asked for."""
    return abs((day - today()).days) <= FURTHEST
