"""Reading collections, and where a set stands."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import groupby
from uuid import UUID

from django.db.models import QuerySet
from django.db.models.functions import Now, TruncDate
from django.utils.translation import gettext_noop

from jobs.clock import ago
from jobs.hindrance import Outlook, outlook_for
from yellowbook.curation.models import Collection, CollectionItem, CollectionSet
from yellowbook.curation.names import CURATE_COLLECTIONS
from yellowbook.directory.models import Business, BusinessStatus


class State(StrEnum):
    """Whether a set shows what was asked for last."""

    READY = gettext_noop("ready")
    #: A job waits its turn, or is worked on.
    WAITING = gettext_noop("waiting")
    #: Something is in the way: `why` says what. Until it is over, readers see what was made before.
    DELAYED = gettext_noop("delayed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a set stands."""

    state: State
    #: In English, a sentence; translated where it is shown.
    why: str = ""
    next_attempt_at: datetime | None = None
    job_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """A collection as readers see it: with the businesses that are published now."""

    collection: Collection
    businesses: list[Business]


def current_sets(surface: str) -> QuerySet[CollectionSet]:
    """Return the sets that a surface may show now, the one that it shows first: today's, or else yesterday's."""
    days = {"date__gte": TruncDate(ago(86_400)), "date__lte": TruncDate(Now())}
    return CollectionSet.objects.filter(surface=surface, made__gt=0, **days).order_by("-date")


def collections_of(sets: QuerySet[CollectionSet]) -> list[Shown]:
    """Return the collections of the first of some sets, in one query; those without a published business are left out.

    What was unpublished or deleted since is not there, whenever that was.
    """
    items = CollectionItem.objects.filter(
        collection_set=sets.values("pk")[:1], business__status=BusinessStatus.PUBLISHED
    )
    rows = items.select_related("collection", "business").order_by("collection__position", "position")
    return list(_grouped(rows))


def _grouped(rows: QuerySet[CollectionItem]) -> Iterator[Shown]:
    for _, of_one in groupby(rows, key=lambda item: item.collection_id):
        items = list(of_one)
        yield Shown(items[0].collection, [item.business for item in items])


def standing_of(row: CollectionSet) -> Standing:
    """Tell where a set stands."""
    if row.made == row.wanted:
        return Standing(state=State.READY, why=row.note)
    expected = outlook_for(CURATE_COLLECTIONS, row.pk)
    if expected is not None:
        return _expected(expected)
    return Standing(state=State.DELAYED, why=gettext_noop("Its job was called off."))


def _expected(outlook: Outlook) -> Standing:
    state = State.DELAYED if outlook.delayed else State.WAITING
    return Standing(state=state, why=outlook.why, next_attempt_at=outlook.next_attempt_at, job_id=outlook.job_id)
