"""The job `curate_collections`, which makes one set, and `plan_collections`, which asks for those of the day."""

from collections.abc import Collection as Some
from collections.abc import Mapping
from datetime import date
from functools import partial
from uuid import UUID

import structlog
from django.db.models.functions import Now

from jobs import clock
from jobs.batch import Batch
from jobs.errors import InvalidInput, NotFound
from jobs.lifecycle import ClaimedJob, Failure
from jobs.lifecycle.finish import Outcome
from yellowbook.curation.days import due_day
from yellowbook.curation.making import Draft, Titled, asks_model, make
from yellowbook.curation.models import Collection, CollectionItem, CollectionSet
from yellowbook.curation.names import CURATED, PLANNED, SUPERSEDED, UNCHANGED
from yellowbook.curation.parameters import Parameters
from yellowbook.curation.services import plan_day
from yellowbook.curation.surfaces import SURFACES
from yellowbook.directory.selectors import published

log = structlog.get_logger(__name__)


def plan(batch: Batch) -> None:
    """Ask for the sets of the newest day that is due; the handler of `plan_collections`.

    Days that nobody was there for are not made good: their pages are gone.
    """
    batch.before_finish(partial(_plan, due_day(clock.now())))
    for job in batch.jobs:
        batch.succeed(job, PLANNED)


def _plan(day: date, held: Some[UUID]) -> Mapping[UUID, Outcome]:
    """Make sets and jobs in the transaction that ends the job that asks for them."""
    if held:
        plan_day(day)
    return {}


def curate(batch: Batch) -> None:
    """Make each set of the batch; the handler of `curate_collections`."""
    for job in batch.jobs:
        asked = CollectionSet.objects.filter(pk=job.subject).first()
        if asked is None:
            batch.fail(job, NotFound("The set does not exist any more."))
        elif asked.made == asked.wanted:
            batch.succeed(job, UNCHANGED)
        elif asked.surface not in SURFACES:
            batch.fail(job, InvalidInput(f"There is no surface {asked.surface!r} any more."))
        else:
            batch.step(50, publish=True)
            parameters = Parameters.model_validate(asked.parameters)
            draft = make(SURFACES[asked.surface], asked.date, parameters, ask=asks_model())
            log.info("collections_made", surface=asked.surface, date=str(asked.date), note=draft.note)
            batch.before_finish(partial(_store, job, asked, draft))
            batch.succeed(job, CURATED)


def _store(job: ClaimedJob, asked: CollectionSet, draft: Draft, held: Some[UUID]) -> Mapping[UUID, Outcome]:
    """Put the draft in the place of what the set had, in the transaction that ends the job: readers see either whole.

    A draft that was made for what is not wanted any more is thrown away: whoever asked anew has made a job for it.
    """
    if job.id not in held:
        return {}
    row = CollectionSet.objects.select_for_update().filter(pk=asked.pk).first()
    if row is None:
        return {job.id: Failure(NotFound("The set was deleted while it was made."))}
    if row.wanted != asked.wanted:
        return {job.id: SUPERSEDED}
    _replace(row, draft.collections)
    CollectionSet.objects.filter(pk=row.pk).update(
        made=row.wanted, made_at=Now(), model=draft.model, titles_model=draft.titles_model, note=draft.note
    )
    return {}


def _replace(row: CollectionSet, titled: list[Titled]) -> None:
    """Write the collections with those of their businesses that are still published."""
    every = [pk for each in titled for pk in each.chosen.businesses]
    # Locked, so that none of them is deleted meanwhile; in one order, like everybody who locks several.
    there = published().filter(pk__in=every).order_by("pk").select_for_update(no_key=True)
    left = set(there.values_list("pk", flat=True))
    row.collections.all().delete()
    collections: list[Collection] = []
    items: list[CollectionItem] = []
    for each in titled:
        businesses = [pk for pk in each.chosen.businesses if pk in left]
        if not businesses:
            continue
        theme, titles = each.chosen.theme, each.titles
        made = Collection(
            collection_set=row,
            position=len(collections) + 1,
            title_mn=titles.mn,
            title_en=titles.en,
            titled_by=titles.by,
            theme=theme.kind,
            rule_id=theme.rule_id,
        )
        collections.append(made)
        items += [
            CollectionItem(collection=made, collection_set=row, position=position, business_id=pk)
            for position, pk in enumerate(businesses, 1)
        ]
    Collection.objects.bulk_create(collections)
    CollectionItem.objects.bulk_create(items)
