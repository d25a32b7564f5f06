"""A listing whose text has its vector goes on to quality control, in the transaction that stores the vector."""

from collections.abc import Collection
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.dispatch import receiver

from embeddings.current import current_model
from embeddings.models import Embedding
from embeddings.signals import vectors_stored
from jobs.duties import Duty, register
from jobs.enqueue import enqueue_many
from jobs.states import Operation, Priority
from yellowbook.catalogue.models import Listing, Seller
from yellowbook.catalogue.stages.kinds import QUALITY_CONTROL

Stage = Listing.Stage

#: Seconds between two looks for listings whose text had its vector already, and listings that one look leads on.
LOOK_EVERY: Final = 5.0
AT_ONCE: Final = 1_000


@receiver(vectors_stored)
def follow_vectors(business_ids: Collection[UUID], model: str, **_: Any) -> None:
    """Have the listings checked whose vectors were stored."""
    if model == current_model():
        _lead_on(Listing.objects.filter(business__in=list(business_ids)))


def catch_up() -> int:
    """Have those checked whose text had a vector before, so that none was stored; return how many. A leader's duty."""
    fresh = Embedding.objects.filter(
        business=OuterRef("business"), model=current_model(), text_hash=OuterRef("business__text_hash")
    )
    return _lead_on(Listing.objects.filter(Exists(fresh), stage=Stage.EMBEDDING).order_by("updated_at")[:AT_ONCE])


@transaction.atomic(savepoint=False)
def _lead_on(listings: QuerySet[Listing]) -> int:
    """Lead those of the listings on that wait for their vector; return how many."""
    waiting = Listing.objects.filter(pk__in=listings.values("pk"), stage=Stage.EMBEDDING)
    rows = waiting.select_for_update(of=("self",), no_key=True).order_by("pk")
    found = list(rows.values_list("pk", "name", "source__seller__tier"))
    if not found:
        return 0
    Listing.objects.filter(pk__in=[pk for pk, *_ in found]).update(stage=Stage.QUALITY)
    for tier in Seller.Tier.values:
        mine = [(pk, name) for pk, name, of in found if of == tier]
        enqueue_many(
            QUALITY_CONTROL,
            [pk for pk, _ in mine],
            operation=Operation.UPDATE,
            priority=Priority.HIGH if tier == Seller.Tier.PREMIUM else Priority.NORMAL,
            extras=[{"original_name": name} for _, name in mine],
        )
    return len(found)


register(Duty("listings", LOOK_EVERY, catch_up))
