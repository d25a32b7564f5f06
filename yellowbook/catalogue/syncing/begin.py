"""Starting a sync: when somebody asks for it, and when it is due."""

from typing import Final

from django.db import connection, transaction

from jobs.actor import Actor, current_actor
from jobs.duties import Duty, register
from jobs.enqueue import enqueue
from jobs.states import Operation, Source
from yellowbook.catalogue.models import CatalogueSource, Sync

#: The kind of job that finds a source's pages.
SYNC_SOURCE: Final = "sync_source"
#: Seconds between two looks at what is due, and sources that one look begins with at most.
LOOK_EVERY, AT_ONCE = 5.0, 50

_DUE = """
SELECT source.id FROM catalogue_cataloguesource AS source
 WHERE source.is_active AND source.next_sync_at <= statement_timestamp()
   AND NOT EXISTS (SELECT FROM catalogue_sync AS sync
                    WHERE sync.source_id = source.id AND sync.state IN ('discovering', 'reading'))
 ORDER BY source.next_sync_at LIMIT %s
"""


def start_sync(source: CatalogueSource, *, actor: Actor | None = None) -> tuple[Sync, bool]:
    """Start a sync with its job, or return the one under way; and whether it is new."""
    actor = actor or current_actor()
    with transaction.atomic():
        # Whoever else starts one waits here, and finds this one.
        locked = CatalogueSource.objects.select_for_update(no_key=True).select_related("seller").get(pk=source.pk)
        running = Sync.objects.filter(source=locked, state__in=Sync.UNDER_WAY).first()
        if running is not None:
            return running, False
        sync = Sync.objects.create(source=locked, requested_by=actor.triggered_by)
        sync.refresh_from_db()
        enqueue(
            SYNC_SOURCE,
            subject=locked.pk,
            operation=Operation.BULK,
            priority=locked.seller.priority,
            actor=actor,
            metadata={"original_name": locked.url},
        )
    return sync, True


def start_due() -> int:
    """Start a sync of each source that is due; return how many. The leader's duty."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE, [AT_ONCE])
        due = [source_id for (source_id,) in cursor.fetchall()]
    for source in CatalogueSource.objects.filter(pk__in=due):
        start_sync(source, actor=Actor("schedule", Source.CRON))
    return len(due)


register(Duty("catalogues", LOOK_EVERY, start_due))
