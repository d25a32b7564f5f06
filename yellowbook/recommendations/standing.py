"""Where the vector of a profile stands, for its owner and for operators."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery, TextField, Value
from django.db.models.functions import Cast, Coalesce
from django.utils.translation import gettext_noop

from jobs.errors import ErrorClass
from jobs.hindrance import LIVE, Outlook, outlook
from jobs.models import JobExecution
from jobs.states import Status
from yellowbook.recommendations.embed import is_fresh
from yellowbook.recommendations.models import TasteProfile
from yellowbook.recommendations.names import EMBED_PROFILE

#: Why a job failed: the one reason that lies in the answers, and all others.
REFUSED: Final = gettext_noop("The provider refuses this text: change the answers.")
GAVE_UP: Final = gettext_noop("It failed for good; asking for recommendations tries again.")


class State(StrEnum):
    """Whether a profile has the vector of its present answers by the model that serves."""

    #: The questionnaire is not completed.
    INCOMPLETE = gettext_noop("incomplete")
    EMBEDDED = gettext_noop("embedded")
    #: A job waits its turn, or is worked on.
    WAITING = gettext_noop("waiting")
    #: Something is in the way: `why` says what. It catches up by itself.
    DELAYED = gettext_noop("delayed")
    #: Its job is dead; `why` says what helps.
    FAILED = gettext_noop("failed")
    #: There is none, and no job: asking for recommendations makes one.
    MISSING = gettext_noop("missing")


#: What the status of a job makes of a profile without a vector.
_BY_JOB: Final = {
    Status.QUEUED: State.WAITING,
    Status.RUNNING: State.WAITING,
    Status.RETRYING: State.DELAYED,
    Status.DEAD: State.FAILED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where the vector of a profile stands."""

    state: State
    #: In English, a sentence without details that are not for everybody; translated where it is shown.
    why: str = ""
    next_attempt_at: datetime | None = None
    job_id: UUID | None = None

    @property
    def is_refused(self) -> bool:
        """Whether these answers will never be embedded, so that no further job is of any use."""
        return self.state is State.FAILED and self.why == REFUSED


def standing_of(profile: TasteProfile, model: str) -> Standing:
    """Tell where the vector of a profile by `model` stands; two or three small queries."""
    if profile.completed_at is None:
        return Standing(state=State.INCOMPLETE, why=gettext_noop("The questionnaire is not completed."))
    if is_fresh(profile, model):
        return Standing(state=State.EMBEDDED)
    jobs = JobExecution.objects.filter(kind=EMBED_PROFILE, subject=str(profile.pk)).order_by("-created_at")
    job = jobs.filter(status__in=LIVE).first() or jobs.first()
    if job is not None and job.status in LIVE:
        return _expected(outlook(job))
    if job is not None and job.status == Status.DEAD:
        why = REFUSED if job.error_class == ErrorClass.INVALID_INPUT else GAVE_UP
        return Standing(state=State.FAILED, why=why, job_id=job.pk)
    return Standing(state=State.MISSING, why=gettext_noop("No job has been made for it."))


def _expected(found: Outlook) -> Standing:
    state = State.DELAYED if found.delayed else State.WAITING
    return Standing(state=state, why=found.why, next_attempt_at=found.next_attempt_at, job_id=found.job_id)


def with_jobs(profiles: QuerySet[TasteProfile], model: str) -> QuerySet[TasteProfile, Any]:
    """Annotate profiles with what `listed_state` looks at, so that a list needs no query for each."""
    jobs = JobExecution.objects.filter(kind=EMBED_PROFILE, subject=Cast(OuterRef("pk"), TextField()))
    newest = jobs.order_by("-created_at").values("status")
    return profiles.select_related("vector").annotate(
        serving=Value(model),
        job_status=Coalesce(Subquery(newest.filter(status__in=LIVE)[:1]), Subquery(newest[:1]), Value("")),
    )


def listed_state(profile: TasteProfile) -> State:
    """Return the state of a profile of `with_jobs`: of its job alone, whatever is in the way of all of them."""
    told: Any = profile
    if profile.completed_at is None:
        return State.INCOMPLETE
    if is_fresh(profile, told.serving):
        return State.EMBEDDED
    return _BY_JOB.get(told.job_status, State.MISSING)
