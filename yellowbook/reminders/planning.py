"""Which reminders an occasion has: the rows that ought to be there, and bringing those that are there in line.

What was sent or has failed is left alone: a reminder of one occurrence, offset and channel goes out once, however
often the occasion is edited.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from django.db import transaction

from jobs import clock
from jobs.lifecycle import cancel_waiting
from yellowbook.reminders.models import Occasion, Schedule
from yellowbook.reminders.names import OCCASION_CHANGED, PASSED, RESCHEDULED
from yellowbook.reminders.wall_time import Recurrence, moment, occurrences, reminder_moment

State = Schedule.State
#: Days that are planned ahead; the next occurrence is planned however far away it is. It is planned again when one is
#: over, after 31 days at the latest if one is so near: by then no reminder of a further one may be due, 30 days before.
LOOK_AHEAD: Final = 65
#: States in which a reminder is still to be sent.
PENDING: Final = (State.WAITING, State.QUEUED, State.DELAYED)
#: States in which it was left out, and may be wanted again.
LEFT_OUT: Final = (State.SKIPPED, State.CANCELLED)

#: What tells the reminders of an occasion from one another: occurrence, offset, channel.
Key = tuple[date, int, str]


@dataclass(frozen=True, slots=True)
class Plan:
    """What an occasion ought to have now."""

    #: The first day that it covers.
    start: date
    #: When each reminder is due; those of occurrences that are just over are there too, since they may be on their way.
    due: dict[Key, datetime]
    #: The days of the occurrences that lie ahead.
    ahead: frozenset[date]
    #: When the first of those is over; None: there is none.
    plan_at: datetime | None


def planned(occasion: Occasion, now: datetime) -> Plan:
    """Return the reminders of the next occurrence, of all within `LOOK_AHEAD` days, and of the last two days'."""
    start = now.astimezone(UTC).date() - timedelta(days=2)
    due: dict[Key, datetime] = {}
    ahead: dict[date, datetime] = {}
    for day in occurrences(occasion.date, Recurrence(occasion.recurrence), start):
        at = moment(day, occasion.time, occasion.time_zone)
        if ahead and at > now + timedelta(days=LOOK_AHEAD):
            break
        if at > now:
            ahead[day] = at
        for offset in set(occasion.offsets):
            when = reminder_moment(day, occasion.time, occasion.time_zone, offset)
            due.update({(day, offset, channel): when for channel in set(occasion.channels)})
    return Plan(start, due, frozenset(ahead), min(ahead.values(), default=None))


def plan(occasion: Occasion) -> None:
    """Bring the reminders of an occasion in line with it; safe to run again, and beside others."""
    with transaction.atomic():
        occasion = Occasion.objects.select_for_update().get(pk=occasion.pk)
        now = clock.now()
        wanted = planned(occasion, now)
        rows = occasion.schedules.filter(occurrence__gte=wanted.start).select_for_update().order_by("pk")
        known = {(row.occurrence, row.offset, row.channel): row for row in rows}
        made = [
            _put(Schedule(occasion=occasion, occurrence=key[0], offset=key[1], channel=key[2]), due, now)
            for key, due in sorted(wanted.due.items())
            if key not in known and key[0] in wanted.ahead
        ]
        Schedule.objects.bulk_create(made)
        changed = [row for key, row in known.items() if _follow(row, wanted.due.get(key), now)]
        # Jobs that wait to send them would come at the wrong time.
        cancel_waiting([row.pk for row in changed], reason=RESCHEDULED)
        Schedule.objects.bulk_update(changed, ["due_at", "state", "reason"])
        Occasion.objects.filter(pk=occasion.pk).update(plan_at=wanted.plan_at)


def _follow(row: Schedule, due: datetime | None, now: datetime) -> bool:
    """Change a known row to what is wanted of it, None being nothing; tell whether there was anything to change."""
    if due is None:
        if row.state not in PENDING:
            return False
        row.state, row.reason = State.CANCELLED, OCCASION_CHANGED
        return True
    if (row.state in PENDING and row.due_at != due) or (row.state in LEFT_OUT and due > now):
        _put(row, due, now)
        return True
    return False


def _put(row: Schedule, due: datetime, now: datetime) -> Schedule:
    """Have a reminder wait for its moment, if that lies ahead."""
    row.due_at = due
    row.state, row.reason = (State.WAITING, "") if due > now else (State.SKIPPED, PASSED)
    return row
