"""When periodic work is due: all times are UTC."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Protocol

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
        for unit, length in (("day", 86_400), ("hour", 3600), ("minute", 60)):
            if self.seconds % length == 0:
                number = self.seconds // length
                return f"every {unit}" if number == 1 else f"every {number} {unit}s"
        return f"every {self.seconds} s"


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
        return f"every day at {self.hour:02}:{self.minute:02} UTC"


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
        return f"every {WEEKDAYS[self.weekday]} at {self.hour:02}:{self.minute:02} UTC"
