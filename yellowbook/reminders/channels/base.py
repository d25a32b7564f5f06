"""What a channel is, and what a reminder says."""

from collections.abc import Callable
from dataclasses import dataclass, field

from django.utils import formats, translation

from yellowbook.notifications.channels import Said
from yellowbook.reminders.models import Schedule


@dataclass(slots=True)
class Attempt:
    """An attempt under way; filled in while it goes on, so that it is there after a failure, too."""

    said: Said = field(default_factory=Said)
    #: Ids of the browsers that have it, from earlier attempts or from this one.
    reached: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Sender:
    """One way to reach an owner."""

    #: Returns why the owner can't be reached this way now; empty if they can.
    obstacle: Callable[[Schedule], str]
    #: Sends a reminder; raises a `jobs.errors.JobError`, whose class decides whether it is tried again.
    send: Callable[[Schedule, Attempt], None]


def title(schedule: Schedule) -> str:
    """Return the one line of a reminder."""
    days = -schedule.offset
    when = {0: "today", 1: "tomorrow"}.get(days, f"in {days} days")
    return f"{schedule.occasion.title}: {when}"


def text(schedule: Schedule) -> str:
    """Return what a reminder says in full: the day and the time where the occasion is."""
    occasion = schedule.occasion
    with translation.override("en"):
        day = formats.date_format(schedule.occurrence, "l, j F Y")
    where = f"\n{occasion.business.name}, {occasion.business.address}" if occasion.business else ""
    return f"{occasion.title}\n{day}, {occasion.time:%H:%M} ({occasion.time_zone}){where}"
