"""What a person decides about a listing that was flagged or rejected."""

from uuid import UUID

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import get_user_model
from django.db import transaction

from jobs.enqueue import enqueue
from jobs.lifecycle import StateConflict
from jobs.states import Operation, Priority
from yellowbook.catalogue.models import Listing
from yellowbook.catalogue.stages.kinds import INDEX_BUSINESS
from yellowbook.catalogue.stages.publish import unpublish

Stage = Listing.Stage


def approve(listing_id: UUID, *, by: str, note: str = "") -> Listing:
    """Have a listing published. Raises `Listing.DoesNotExist`, and `StateConflict` for one that nobody has to judge."""
    with transaction.atomic():
        listing = _judged(listing_id)
        before, listing.stage, listing.reason = listing.stage, Stage.INDEXING, ""
        listing.save()
        enqueue(INDEX_BUSINESS, subject=listing.pk, operation=Operation.UPDATE, priority=Priority.HIGH)
        _log(listing, by, f"approved (was {before})", note)
    return listing


def reject(listing_id: UUID, *, by: str, note: str = "") -> Listing:
    """Keep a listing out of sight; raises as `approve` does."""
    with transaction.atomic():
        listing = _judged(listing_id)
        before = listing.stage
        unpublish(listing, Stage.REJECTED, note or "A person rejected it.")
        listing.save()
        _log(listing, by, f"rejected (was {before})", note)
    return listing


def _judged(listing_id: UUID) -> Listing:
    listing = Listing.objects.select_for_update(no_key=True).get(pk=listing_id)
    if listing.stage not in {Stage.REVIEW, Stage.REJECTED}:
        raise StateConflict(f"The listing is {listing.stage}: only one in review, or a rejected one, can be judged.")
    return listing


def _log(listing: Listing, by: str, message: str, note: str) -> None:
    model = get_user_model()
    user = model._default_manager.filter(**{model.USERNAME_FIELD: by}).first()
    if user is not None:
        LogEntry.objects.log_actions(user.pk, [listing], CHANGE, f"{message}: {note}" if note else message)
