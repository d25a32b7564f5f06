"""Asking for collections. Rows and jobs are one transaction; nothing here calls anybody."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db import transaction

from jobs.actor import Actor, current_actor
from jobs.enqueue import Enqueued, enqueue
from jobs.models import JobExecution
from jobs.states import WAITING, Operation, Status
from yellowbook.curation.models import CollectionSet
from yellowbook.curation.names import CURATE_COLLECTIONS
from yellowbook.curation.parameters import Parameters
from yellowbook.curation.surfaces import SURFACES


@dataclass(frozen=True, slots=True)
class Regeneration:
    """A set that is to be made, and the job that will."""

    collection_set: CollectionSet
    job: Enqueued


def plan_day(day: date) -> list[Enqueued]:
    """Make sure that every surface has a set of `day`, or a job that makes it; return the jobs that this made.

    Whoever does this again, or at the same time, makes nothing more: a surface and day has one set, a set one waiting
    job, and a set that is made needs none.
    """
    return [job for surface in SURFACES if (job := _plan(surface, day)) is not None]


def _plan(surface: str, day: date) -> Enqueued | None:
    with transaction.atomic():
        CollectionSet.objects.get_or_create(
            surface=surface, date=day, defaults={"parameters": Parameters().stored(), "requested_by": "scheduler"}
        )
        row = CollectionSet.objects.select_for_update().get(surface=surface, date=day)
        if row.made == row.wanted or _is_under_way(row):
            return None
        return _enqueue(row, priority="low", operation=Operation.CREATE)


def _is_under_way(row: CollectionSet) -> bool:
    """Tell whether a job waits or is worked on; whoever wants something else of the set has made one for that."""
    live = [*WAITING, Status.RUNNING]
    return JobExecution.objects.filter(kind=CURATE_COLLECTIONS, subject=str(row.pk), status__in=live).exists()


def regenerate(surface: str, day: date, parameters: Parameters, *, actor: Actor | None = None) -> Regeneration:
    """Have the collections of a surface and day made, anew if they are there; they show until the new ones do.

    What a job under way makes for an earlier request is thrown away.
    """
    by = actor or current_actor()
    with transaction.atomic():
        _, created = CollectionSet.objects.get_or_create(
            surface=surface, date=day, defaults={"parameters": parameters.stored(), "requested_by": by.triggered_by}
        )
        row = CollectionSet.objects.select_for_update().get(surface=surface, date=day)
        if not created:
            row.parameters, row.requested_by, row.wanted = parameters.stored(), by.triggered_by, row.wanted + 1
            row.save(update_fields=["parameters", "requested_by", "wanted"])
        return Regeneration(row, _enqueue(row, priority="normal", operation=Operation.UPDATE, actor=by))


def repair(rows: Sequence[CollectionSet]) -> int:
    """Make jobs for sets that lost theirs; return how many."""
    with transaction.atomic():
        for row in rows:
            _enqueue(row, priority="low", operation=Operation.UPDATE)
    return len(rows)


def _enqueue(row: CollectionSet, *, priority: str, operation: Operation, actor: Actor | None = None) -> Enqueued:
    told = {"original_name": f"{row.surface} {row.date}"}
    return enqueue(
        CURATE_COLLECTIONS, subject=row.pk, operation=operation, priority=priority, actor=actor, metadata=told
    )
