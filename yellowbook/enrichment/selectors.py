"""Reading what is known of businesses, and whether more is to come."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from django.utils.translation import gettext_noop

from jobs.hindrance import hindrance
from jobs.models import DeadLetter, JobExecution
from jobs.states import WAITING, Status
from yellowbook.directory.models import Business
from yellowbook.enrichment.making import needing
from yellowbook.enrichment.models import EditorTags, Enrichment
from yellowbook.enrichment.names import ENRICH_BUSINESS


class State(StrEnum):
    """Whether an enrichment of the present text is there, or on its way."""

    DONE = gettext_noop("done")
    #: A job waits its turn, or is worked on.
    WAITING = gettext_noop("waiting")
    #: Something is in the way: `why` says what. The business is there all the same, and it catches up by itself, or
    #: once somebody has seen to a dead letter.
    DELAYED = gettext_noop("delayed")
    #: Nothing was made, and nothing is on its way.
    NONE = gettext_noop("none")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where the enrichment of a business stands."""

    state: State
    #: In English, a sentence without details that are not for everybody; translated where it is shown.
    why: str = ""
    next_attempt_at: datetime | None = None
    job_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of a business."""

    enrichment: Enrichment | None
    editor: EditorTags | None

    @property
    def made_tags(self) -> list[str]:
        """The tags that were made, those of the vocabulary first."""
        return [*self.enrichment.tags, *self.enrichment.free_tags] if self.enrichment else []

    @property
    def tags(self) -> list[str]:
        """The tags that stand: an editor's, where there are any of theirs, else those that were made."""
        return list(self.editor.tags) if self.editor is not None else self.made_tags


def known(business_id: UUID) -> Known:
    """Return what is known of a business."""
    return Known(
        enrichment=Enrichment.objects.filter(pk=business_id).first(),
        editor=EditorTags.objects.filter(pk=business_id).first(),
    )


def standing_of(business: Business) -> Standing:
    """Tell where the enrichment of a business stands."""
    if business.pk and not needing(Business.objects.filter(pk=business.pk)).exists():
        if Enrichment.objects.filter(pk=business.pk, input_hash=business.text_hash).exists():
            return Standing(state=State.DONE)
        return Standing(state=State.NONE, why=gettext_noop("Only published businesses are enriched."))
    jobs = JobExecution.objects.filter(kind=ENRICH_BUSINESS, subject=str(business.pk))
    job = jobs.filter(status__in=[*WAITING, Status.RUNNING]).order_by("-created_at").first()
    if job is not None:
        return _of_job(job)
    letters = DeadLetter.objects.filter(kind=ENRICH_BUSINESS, subject=str(business.pk), resolved_at=None)
    letter = letters.order_by("-last_attempt_at").first()
    if letter is not None:
        why = gettext_noop("It failed for good; somebody has to retry it.")
        return Standing(state=State.DELAYED, why=why, job_id=letter.job_id)
    return Standing(state=State.NONE, why=gettext_noop("No job has been made for it."))


def _of_job(job: JobExecution) -> Standing:
    if job.status == Status.RUNNING:
        return Standing(state=State.WAITING, why=gettext_noop("A worker is at it now."), job_id=job.pk)
    why, at = hindrance(job)
    if not why:
        return Standing(state=State.WAITING, why=gettext_noop("A job waits for a worker."), job_id=job.pk)
    return Standing(state=State.DELAYED, why=why, next_attempt_at=at, job_id=job.pk)
