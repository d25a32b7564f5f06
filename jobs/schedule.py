"""When periodic work is due: all times are UTC."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Protocol

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def _check_time(hour: int, minute: int) -> None:
    if not (0 <= hour < 24 and 0 <= minute < 60):
        raise ValueError(f"a schedule needs a time from 00:00 to 23:59, not {hour}:{minute}")


class Schedule(Protocol):
    """Tells the times at which something is due."""

    def after(self, moment: datetime) -> datetime:
        """Return the first due time later than `moment`; both aware."""

    def __str__(self) -> str:
        """Say it in words, e.g. `every day at 02:00 UTC`."""


@dataclass(frozen=True, slots=True)
class Every:
    """Again and again, so many seconds after the last time."""

    seconds: int

    def __post_init__(self) -> None:
        if self.seconds < 1:
            raise ValueError("a schedule needs at least a second between two times")

    def after(self, moment: datetime) -> datetime:
        """Return the moment `seconds` later."""
        # In UTC: where clocks change, adding to a local time skips or repeats an hour.
        return moment.astimezone(UTC) + timedelta(seconds=self.seconds)

    def __str__(self) -> str:
        if self.seconds % 86_400 == 0:
            number = self.seconds // 86_400
            return ngettext("every day", "every %(number)s days", number) % {"number": number}
        if self.seconds % 3600 == 0:
            number = self.seconds // 3600
            return ngettext("every hour", "every %(number)s hours", number) % {"number": number}
        if self.seconds % 60 == 0:
            number = self.seconds // 60
            return ngettext("every minute", "every %(number)s minutes", number) % {"number": number}
        return _("every %(number)s s") % {"number": self.seconds}


@dataclass(frozen=True, slots=True)
class Daily:
    """Every day at a time."""

    hour: int
    minute: int = 0

    def __post_init__(self) -> None:
        _check_time(self.hour, self.minute)

    def after(self, moment: datetime) -> datetime:
        """Return the next such time."""
        today = datetime.combine(moment.astimezone(UTC).date(), time(self.hour, self.minute), UTC)
        return today if today > moment else today + timedelta(days=1)

    def __str__(self) -> str:
        return _("every day at %(time)s UTC") % {"time": f"{self.hour:02}:{self.minute:02}"}


@dataclass(frozen=True, slots=True)
class Weekly:
    """Every week on a day (0: Monday) at a time."""

    weekday: int
    hour: int
    minute: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.weekday < len(WEEKDAYS):
            raise ValueError(f"a schedule needs a weekday from 0 (Monday) to 6 (Sunday), not {self.weekday}")
        _check_time(self.hour, self.minute)

    def after(self, moment: datetime) -> datetime:
        """Return the next such time."""
        day = moment.astimezone(UTC).date()
        day += timedelta(days=(self.weekday - day.weekday()) % 7)
        found = datetime.combine(day, time(self.hour, self.minute), UTC)
        return found if found > moment else found + timedelta(days=7)

    def __str__(self) -> str:
        day, at = _(WEEKDAYS[self.weekday]), f"{self.hour:02}:{self.minute:02}"
        return _("every %(weekday)s at %(time)s UTC") % {"weekday": day, "time": at}
