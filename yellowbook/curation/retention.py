"""Sets of collections are kept for some days, with their collections."""

from django.conf import settings

from jobs.clock import ago
from jobs.upkeep.pruners import Pruner, register
from yellowbook.curation.models import CollectionSet


def delete_sets(age: float, limit: int) -> int:
    """Delete up to `limit` sets of days more than `age` seconds ago; return how many."""
    old = CollectionSet.objects.filter(date__lt=ago(age)).order_by("date", "surface")
    ids = list(old.values_list("pk", flat=True)[:limit])
    CollectionSet.objects.filter(pk__in=ids).delete()
    return len(ids)


register(Pruner("collections", lambda: settings.RETENTION_COLLECTIONS_DAYS, delete_sets))
