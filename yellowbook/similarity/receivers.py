"""What makes lists out of date: vectors that are stored, businesses that change or go, another model."""

from collections.abc import Collection
from typing import Any, Final
from uuid import UUID

from django.dispatch import receiver

from embeddings.current import current_model
from embeddings.signals import model_switched, vectors_stored
from jobs.periodic import run_now
from yellowbook.directory.changes import businesses_deleted, businesses_written
from yellowbook.similarity.kinds import RENEW_SIMILARITY
from yellowbook.similarity.marks import mark

#: The fields of a business that its lists, and those that it is in, are made of, besides its vector.
FIELDS: Final = frozenset({"category", "city", "price_level", "offers_online", "status"})


@receiver(vectors_stored)
def follow_vectors(business_ids: Collection[UUID], model: str, **_: Any) -> None:
    """Have lists computed of new vectors, and of those that list them; not of a model that is being filled in."""
    if model == current_model():
        mark(business_ids, listed=True)


@receiver(businesses_written)
def follow_fields(ids: Collection[UUID], fields: Collection[str] | None, created: bool, **_: Any) -> None:
    """Have lists computed anew when a field that matters may have changed; what is new has no vector yet."""
    if not created and (fields is None or not FIELDS.isdisjoint(fields)):
        mark(ids, listed=True)


@receiver(businesses_deleted)
def follow_deletions(ids: Collection[UUID], **_: Any) -> None:
    """Have those lists computed anew that name what is being deleted."""
    mark(ids, listed=True)


@receiver(model_switched)
def follow_switch(**_: Any) -> None:
    """Have everything compared by the new model, by a job: there may be too much of it for the switch to wait for."""
    run_now(RENEW_SIMILARITY)
