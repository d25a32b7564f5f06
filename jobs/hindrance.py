"""What is to be expected of a job, and what keeps it from its turn, for whoever waits for what it makes."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext_noop

from jobs import clock
from jobs.models import DeadLetter, JobExecution, Lane
from jobs.states import WAITING, Status

#: Seconds after which a job that is due and not begun counts as delayed.
DELAYED_AFTER: Final = 60.0

#: States of a job that will still be worked on.
LIVE: Final = (*WAITING, Status.RUNNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What somebody may expect who waits for a job."""

    #: Whether something is in the way; it ends by itself, or once somebody has seen to a dead letter.
    delayed: bool
    #: A sentence in English for anybody to read, without details; translated where it is shown.
    why: str
    next_attempt_at: datetime | None = None
    job_id: UUID


def outlook(job: JobExecution) -> Outlook:
    """Return what may be expected of a job that waits or runs."""
    if job.status == Status.RUNNING:
        return Outlook(delayed=False, why=gettext_noop("A worker is at it now."), job_id=job.pk)
    why, at = hindrance(job)
    if not why:
        return Outlook(delayed=False, why=gettext_noop("A job waits for a worker."), job_id=job.pk)
    return Outlook(delayed=True, why=why, next_attempt_at=at, job_id=job.pk)


def outlook_for(kind: str, subject: object) -> Outlook | None:
    """Return what may be expected for a subject: of its job, or of its dead letter; None where it has neither."""
    jobs = JobExecution.objects.filter(kind=kind, subject=str(subject), status__in=LIVE)
    job = jobs.order_by("-created_at").first()
    if job is not None:
        return outlook(job)
    letters = DeadLetter.objects.filter(kind=kind, subject=str(subject), resolved_at=None)
    letter = letters.order_by("-last_attempt_at").first()
    if letter is None:
        return None
    why = gettext_noop("It failed for good; somebody has to retry it.")
    return Outlook(delayed=True, why=why, job_id=letter.job_id)


def hindrance(job: JobExecution) -> tuple[str, datetime | None]:
    """Return what keeps a waiting job from its turn, empty for nothing, and when it is tried again, if known.

    It is a sentence in English for anybody to read, without details; translated where it is shown.
    """
    now = clock.now()
    paused = Q(paused_at__isnull=False) & (Q(paused_until=None) | Q(paused_until__gt=now))
    lane = Lane.objects.filter(paused | Q(closed_until__gt=now), kind=job.kind).first()
    if lane is not None and lane.paused_at is not None:
        return gettext_noop("Its lane is paused."), lane.paused_until
    if job.status == Status.RETRYING:
        return gettext_noop("The last attempt failed; it is tried again by itself."), job.next_attempt_at
    if lane is not None:
        return gettext_noop("The provider's limits are used up for the moment."), lane.closed_until
    if job.next_attempt_at < now - timedelta(seconds=DELAYED_AFTER):
        return gettext_noop("It waits longer than usual: workers are busy or away."), None
    return "", None
