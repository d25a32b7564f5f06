"""Why a listing is not live: where it is, for what reason, whose the next step is, and when it is tried again."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from embeddings.kinds import GENERATE_EMBEDDING
from jobs.models import JobExecution
from jobs.states import Status
from yellowbook.catalogue.models import Listing
from yellowbook.catalogue.stages.kinds import INDEX_BUSINESS, QUALITY_CONTROL
from yellowbook.directory.selectors import published

Stage = Listing.Stage


class Owner(StrEnum):
    """Who has the next step."""

    NOBODY = "nobody"
    SYSTEM = "system"
    SELLER = "seller"
    EDITOR = "editor"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Why:
    """The answer."""

    stage: str
    reason: str
    owner: Owner
    #: When the system tries again by itself, if it has to wait.
    next_attempt_at: datetime | None = None


_OWNERS: Final = {
    Stage.INVALID: (Owner.SELLER, "The page does not say enough, or something wrong."),
    Stage.REVIEW: (Owner.EDITOR, "It waits for a person's decision."),
    Stage.REJECTED: (Owner.EDITOR, "It was rejected."),
    Stage.HELD: (Owner.EDITOR, "A person keeps it out of sight."),
    Stage.VANISHED: (Owner.SELLER, "The catalogue does not name it any more."),
    Stage.LIVE: (Owner.NOBODY, ""),
}
#: The job that leads on from a stage, and whether its subject is the business rather than the listing.
_JOBS: Final = {
    Stage.EMBEDDING: (GENERATE_EMBEDDING, True),
    Stage.QUALITY: (QUALITY_CONTROL, False),
    Stage.INDEXING: (INDEX_BUSINESS, False),
}


def why(listing: Listing) -> Why:
    """Return where a listing is and what keeps it there; one query at most."""
    stage = Stage(listing.stage)
    if stage is Stage.LIVE and not (listing.business_id and published().filter(pk=listing.business_id).exists()):
        # Somebody has unpublished the business; the next sync will find that, and leave it so.
        stage = Stage.HELD
    if stage in _OWNERS:
        owner, usual = _OWNERS[stage]
        return Why(stage, listing.reason or usual, owner)
    kind, of_business = _JOBS[stage]
    subject = listing.business_id if of_business else listing.pk
    job = JobExecution.objects.filter(kind=kind, subject=str(subject)).order_by("-created_at").first()
    if job is None:
        return Why(stage, "It waits for its job.", Owner.SYSTEM)
    if job.status == Status.DEAD:
        return Why(stage, f"The job {kind} has failed: {job.error}", Owner.OPERATOR)
    if job.status == Status.RETRYING:
        return Why(stage, f"The job {kind} is tried again: {job.error}", Owner.SYSTEM, job.next_attempt_at)
    return Why(stage, f"The job {kind} is {job.status}.", Owner.SYSTEM)
