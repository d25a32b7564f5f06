"""Keeping the history short."""

from jobs.alerts.models import AlertEvent
from jobs.clock import ago


def prune(older_than_seconds: float, limit: int) -> int:
    """Delete up to `limit` of the oldest events that are older than that; return how many."""
    old = AlertEvent.objects.filter(at__lt=ago(older_than_seconds)).order_by("at").values("pk")[:limit]
    deleted, _ = AlertEvent.objects.filter(pk__in=old).delete()
    return deleted
