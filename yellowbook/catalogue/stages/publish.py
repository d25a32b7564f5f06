"""The job `index_business`: what was approved goes live. And the way back, out of sight.

Publishing is a change of the business's status like any other: search, similar businesses and what is cached of them
follow it by themselves.
"""

from collections.abc import Collection, Mapping
from functools import partial
from uuid import UUID

from jobs.batch import Batch
from jobs.lifecycle import ClaimedJob
from jobs.lifecycle.finish import Outcome
from yellowbook.catalogue.models import Listing
from yellowbook.directory.models import Business, BusinessStatus
from yellowbook.directory.services import update_business

Stage = Listing.Stage


def index_listings(batch: Batch) -> None:
    """Publish each listing of the batch; the handler of `index_business`."""
    for job in batch.jobs:
        batch.succeed(job, "live")
        batch.before_finish(partial(_write, job))


def unpublish(listing: Listing, stage: str, reason: str) -> None:
    """Take a listing out of sight, unless a person has decided about that; the caller saves the listing."""
    listing.stage, listing.reason = stage, reason
    if listing.business_id is not None and listing.written.get("status") == BusinessStatus.PUBLISHED:
        _set_status(listing, BusinessStatus.UNPUBLISHED)


def _write(job: ClaimedJob, held: Collection[UUID]) -> Mapping[UUID, Outcome]:
    if job.id not in held:
        return {}
    listings = Listing.objects.select_for_update(no_key=True)
    listing = listings.filter(pk=job.subject, stage=Stage.INDEXING).first()
    if listing is None:
        return {job.id: "nothing to do"}
    if _set_status(listing, BusinessStatus.PUBLISHED):
        listing.stage, listing.reason = Stage.LIVE, ""
    else:
        listing.stage, listing.reason = Stage.HELD, "A person has set the status of its business."
    listing.save()
    return {} if listing.stage == Stage.LIVE else {job.id: "held"}


def _set_status(listing: Listing, status: BusinessStatus) -> bool:
    """Set a business's status; return False when a person has set it otherwise, or has deleted the business."""
    businesses = Business.objects.select_for_update(no_key=True)
    business = businesses.filter(pk=listing.business_id).first() if listing.business_id else None
    if business is None or business.status != listing.written.get("status"):
        return False
    update_business(business.pk, {"status": status.value})
    listing.written = {**listing.written, "status": status.value}
    return True
