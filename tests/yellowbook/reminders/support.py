"""What the tests of reminders share besides fixtures: the clock is moved by moving the rows."""

from datetime import date, time, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from jobs.execute import run_lane
from jobs.models import JobExecution
from tests.jobs.support import make_due
from yellowbook.reminders.dispatch import dispatch_due
from yellowbook.reminders.models import Occasion, Schedule
from yellowbook.reminders.names import SEND_REMINDER
from yellowbook.reminders.services import save_occasion

ZONE = "Asia/Ulaanbaatar"


def in_days(days: int) -> date:
    """Return a day from today on."""
    return timezone.now().date() + timedelta(days=days)


def occasion(owner: User, **changes: Any) -> Occasion:
    """Save an occasion in ten days, to be reminded of by e-mail a day before."""
    given: dict[str, Any] = {
        "title": "Наадам",
        "date": in_days(10),
        "time": time(9),
        "time_zone": ZONE,
        "offsets": [-1],
        "channels": ["email"],
    }
    return save_occasion(Occasion(owner=owner, **{**given, **changes}))


def make_all_due(seconds: float = 60) -> None:
    """Let reminders that wait have been due for some seconds."""
    Schedule.objects.filter(state="waiting").update(due_at=timezone.now() - timedelta(seconds=seconds))


def work() -> None:
    """Let the leader look once, and a worker do what there is."""
    dispatch_due()
    while run_lane(SEND_REMINDER):
        pass


def work_on() -> None:
    """Let a worker do everything, as if every pause were over."""
    work()
    while waiting := list(JobExecution.objects.filter(kind=SEND_REMINDER, status="retrying")):
        make_due(*waiting)
        work()


def states() -> dict[tuple[date, int, str], str]:
    """Return the state of every reminder by occurrence, offset and channel."""
    rows = Schedule.objects.order_by("occurrence", "offset", "channel")
    return {(row.occurrence, row.offset, row.channel): row.state for row in rows}


def jobs() -> int:
    """Count the jobs that send."""
    return JobExecution.objects.filter(kind=SEND_REMINDER).count()
