"""Deliveries that came to an end are kept for a while, with their attempts; those that wait, as long as they do."""

from django.conf import settings

from jobs.clock import ago
from jobs.upkeep.pruners import Pruner, register
from yellowbook.notifications.models import Delivery


def delete_deliveries(age: float, limit: int) -> int:
    """Delete up to `limit` deliveries that ended and were made more than `age` seconds ago; return how many."""
    old = Delivery.objects.filter(created_at__lt=ago(age)).exclude(state=Delivery.State.WAITING).order_by("created_at")
    ids = list(old.values_list("pk", flat=True)[:limit])
    Delivery.objects.filter(pk__in=ids).delete()
    return len(ids)


register(Pruner("deliveries", lambda: settings.RETENTION_DELIVERIES_DAYS, delete_deliveries))
