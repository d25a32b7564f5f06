"""Reminders of occurrences that are long over are deleted, with the records of their delivery; occasions are kept."""

from django.conf import settings

from jobs.clock import ago
from jobs.upkeep.pruners import Pruner, register
from yellowbook.reminders.models import Schedule
from yellowbook.reminders.planning import PENDING


def delete_reminders(age: float, limit: int) -> int:
    """Delete up to `limit` reminders that came to an end and were due more than `age` seconds ago; return how many."""
    old = Schedule.objects.filter(due_at__lt=ago(age), occurrence__lt=ago(age)).exclude(state__in=PENDING)
    ids = list(old.order_by("due_at").values_list("pk", flat=True)[:limit])
    Schedule.objects.filter(pk__in=ids).delete()
    return len(ids)


register(Pruner("reminders", lambda: settings.RETENTION_DELIVERIES_DAYS, delete_reminders))
