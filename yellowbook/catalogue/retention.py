"""Syncs that ended are kept for a while; the last one of each catalogue, as long as the catalogue."""

from django.conf import settings
from django.db.models import Exists, OuterRef

from jobs.clock import ago
from jobs.upkeep.pruners import Pruner, register
from yellowbook.catalogue.models import Sync


def delete_syncs(age: float, limit: int) -> int:
    """Delete up to `limit` syncs that ended over `age` seconds ago and were followed by others; return how many."""
    later = Sync.objects.filter(source=OuterRef("source"), started_at__gt=OuterRef("started_at"))
    old = Sync.objects.filter(Exists(later), finished_at__lt=ago(age)).order_by("finished_at")
    ids = list(old.values_list("pk", flat=True)[:limit])
    Sync.objects.filter(pk__in=ids).delete()
    return len(ids)


register(Pruner("syncs", lambda: settings.RETENTION_SYNCS_DAYS, delete_syncs))
