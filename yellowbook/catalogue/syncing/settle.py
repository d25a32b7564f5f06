"""Ending syncs: pages whose job has given up, listings that the source tells of no more, the summary."""

from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now

from jobs.duties import Duty, register
from yellowbook.catalogue.models import CatalogueSource, Listing, Page, Sync
from yellowbook.catalogue.stages.publish import unpublish
from yellowbook.catalogue.syncing.begin import SYNC_SOURCE
from yellowbook.catalogue.syncing.discover import SCRAPE_CATALOGUE
from yellowbook.catalogue.syncing.telling import tell

log = structlog.get_logger(__name__)

State = Sync.State

#: Syncs in a row that do not tell of a listing before it is taken out of sight.
MISSED: Final = 3
#: Seconds between two looks at the syncs under way.
LOOK_EVERY: Final = 2.0

#: Syncs whose first job has given up.
_NOT_BEGUN = """
UPDATE catalogue_sync AS sync
   SET state = CASE last.status WHEN 'cancelled' THEN 'cancelled' ELSE 'failed' END, error = last.error,
       finished_at = statement_timestamp()
  FROM (SELECT open.id, job.status, job.error FROM catalogue_sync AS open
         CROSS JOIN LATERAL (SELECT status, error FROM jobs_jobexecution
                              WHERE kind = %s AND subject = open.source_id::text
                                AND (finished_at IS NULL OR finished_at >= open.started_at)
                              ORDER BY created_at DESC LIMIT 1) AS job
         WHERE open.state = 'discovering') AS last
 WHERE sync.id = last.id AND sync.state = 'discovering' AND last.status IN ('dead', 'cancelled')
RETURNING sync.id, sync.source_id, sync.state
"""
#: Pages whose job has given up.
_NOT_READ = """
UPDATE catalogue_page AS page SET state = 'failed', error = last.error
  FROM (SELECT waiting.id, job.status, coalesce(nullif(job.error, ''), job.result) AS error
          FROM catalogue_page AS waiting JOIN catalogue_sync AS sync ON sync.id = waiting.sync_id
         CROSS JOIN LATERAL (SELECT status, error, result FROM jobs_jobexecution
                              WHERE kind = %s AND subject = waiting.id::text
                              ORDER BY created_at DESC LIMIT 1) AS job
         WHERE waiting.state = 'waiting' AND sync.state = 'reading') AS last
 WHERE page.id = last.id AND page.state = 'waiting' AND last.status IN ('dead', 'cancelled')
"""


def settle() -> int:
    """End the syncs that have come to their end; return how many. The leader's duty."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_NOT_BEGUN, [SYNC_SOURCE])
        ended = cursor.fetchall()
        _reschedule(Q(pk__in=[source_id for _, source_id, _ in ended]))
        for sync in Sync.objects.filter(pk__in=[sync_id for sync_id, _, state in ended if state == State.FAILED]):
            tell(sync)
        cursor.execute(_NOT_READ, [SCRAPE_CATALOGUE])
    waiting = Page.objects.filter(sync=OuterRef("pk"), state=Page.State.WAITING)
    done = Sync.objects.filter(~Exists(waiting), state=State.READING)
    return len(ended) + sum(finish(sync_id) for sync_id in done.values_list("pk", flat=True))


def finish(sync_id: UUID) -> bool:
    """End a sync whose pages are all done, with what has vanished; return whether this call did."""
    with transaction.atomic():
        sync = Sync.objects.select_for_update(no_key=True).get(pk=sync_id)
        pages = Page.objects.filter(sync=sync)
        if sync.state != State.READING or pages.filter(state=Page.State.WAITING).exists():
            return False
        good = pages.filter(state__in=[Page.State.READ, Page.State.UNCHANGED])
        if not good.exists():
            error = pages.exclude(error="").values_list("error", flat=True).first() or "There was no page to read."
            _end(sync, State.FAILED, error=error)
        else:
            _end(sync, State.COMPLETED, vanished=_miss(sync))
        _reschedule(Q(pk=sync.source_id))
    log.info("catalogue_synced", source=str(sync.source_id), sync=str(sync.pk))
    return True


def _miss(sync: Sync) -> int:
    """Count a sync that has not told of some listings; return how many of them were taken out of sight."""
    told: set[str] = set()
    for ids in Page.objects.filter(sync=sync).exclude(state=Page.State.GONE).values_list("told", flat=True):
        told.update(ids)
    unseen = Listing.objects.select_for_update(of=("self",), no_key=True).filter(source=sync.source_id)
    unseen = unseen.exclude(external_id__in=told).exclude(stage=Listing.Stage.VANISHED)
    vanished = 0
    for listing in unseen:
        listing.missed += 1
        if listing.missed >= MISSED and listing.stage != Listing.Stage.HELD:
            unpublish(listing, Listing.Stage.VANISHED, f"{MISSED} syncs in a row did not tell of it.")
            vanished += 1
        listing.save()
    return vanished


def _end(sync: Sync, state: str, *, error: str = "", vanished: int = 0) -> None:
    Sync.objects.filter(pk=sync.pk).update(state=state, error=error, vanished=vanished, finished_at=Now())
    sync.refresh_from_db()
    tell(sync)


def _reschedule(sources: Q) -> None:
    interval = F("interval_hours") * timedelta(hours=1)
    CatalogueSource.objects.filter(sources).update(last_synced_at=Now(), next_sync_at=Now() + interval)


register(Duty("syncs", LOOK_EVERY, settle))
