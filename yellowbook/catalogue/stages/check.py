"""The job `quality_control`: a verdict for each listing, and what follows from it."""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from functools import partial
from uuid import UUID

from jobs.batch import Batch
from jobs.enqueue import enqueue
from jobs.errors import InvalidInput, JobError
from jobs.lifecycle import ClaimedJob
from jobs.lifecycle.finish import Outcome
from jobs.states import Operation
from yellowbook.catalogue.models import Listing
from yellowbook.catalogue.quality.check import check
from yellowbook.catalogue.quality.verdict import Decision, Verdict
from yellowbook.catalogue.stages.kinds import INDEX_BUSINESS
from yellowbook.catalogue.stages.publish import unpublish
from yellowbook.llm import available

Stage = Listing.Stage


def check_listings(batch: Batch) -> None:
    """Check each listing of the batch; the handler of `quality_control`."""
    for job in batch.jobs:
        listing = Listing.objects.filter(pk=job.subject).first()
        if listing is not None and listing.stage == Stage.INVALID:
            # A dead letter says so to whoever looks after the catalogue; the seller is told with the summary.
            batch.fail(job, InvalidInput(f"The listing makes no business: {listing.reason}"))
            continue
        if listing is None or listing.stage != Stage.QUALITY or listing.business_id is None:
            batch.succeed(job, "nothing to do")
            continue
        try:
            verdict = check(listing.business_id, budget=batch.budget if available() else None)
        except JobError as error:
            batch.fail(job, error)
            continue
        batch.succeed(job, verdict.decision)
        batch.before_finish(partial(_write, job, listing, verdict))


def _write(job: ClaimedJob, seen: Listing, verdict: Verdict, held: Collection[UUID]) -> Mapping[UUID, Outcome]:
    """Lead the listing on, unless it has changed since it was checked: then another job waits for it."""
    if job.id not in held:
        return {}
    listings = Listing.objects.select_for_update(of=("self",), no_key=True).select_related("source__seller")
    listing = listings.filter(pk=seen.pk, stage=Stage.QUALITY, told_hash=seen.told_hash).first()
    if listing is None:
        return {job.id: "outdated"}
    listing.verdict = asdict(verdict)
    reasons = " ".join(verdict.reasons)
    match verdict.decision:
        case Decision.APPROVED:
            listing.stage, listing.reason = Stage.INDEXING, ""
            enqueue(
                INDEX_BUSINESS,
                subject=listing.pk,
                operation=Operation.UPDATE,
                priority=listing.source.seller.priority,
                metadata={"original_name": listing.name},
            )
        case Decision.FLAGGED:
            listing.stage, listing.reason = Stage.REVIEW, reasons
        case Decision.REJECTED:
            unpublish(listing, Stage.REJECTED, reasons)
    listing.save()
    return {}
