"""Reading what is known of businesses, and whether more is to come."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from django.utils.translation import gettext_noop

from jobs.hindrance import Outlook, outlook_for
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
    expected = outlook_for(ENRICH_BUSINESS, business.pk)
    if expected is not None:
        return _expected(expected)
    return Standing(state=State.NONE, why=gettext_noop("No job has been made for it."))


def _expected(outlook: Outlook) -> Standing:
    state = State.DELAYED if outlook.delayed else State.WAITING
    return Standing(state=state, why=outlook.why, next_attempt_at=outlook.next_attempt_at, job_id=outlook.job_id)
