"""What happened to one job, moment by moment, and what it has to do with other jobs."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from jobs.models import Attempt, JobExecution
from jobs.selectors import steps_of
from jobs.states import FINISHED, WAITING, Status

#: Jobs on the same subject that are told before and after one, each.
NEIGHBOURS = 5


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened, and the seconds since what happened before; `good`, `bad` or neither."""

    name: str
    at: datetime
    after: float | None = None
    tone: str = ""


def story(job: JobExecution, attempts: Iterable[Attempt]) -> list[Moment]:
    """Return what happened, in order, from its making to its end or to the next try."""
    told = [Moment(_("made"), job.created_at)]
    for attempt in attempts:
        told.append(Moment(_("attempt %(number)s began") % {"number": attempt.number}, attempt.started_at))
        failed = _("failed: %(error_class)s") % {"error_class": _(attempt.error_class)}
        told.append(Moment(failed, attempt.finished_at, tone="bad"))
    told += _steps(job)
    if job.status in FINISHED and job.finished_at is not None:
        tone = {Status.SUCCEEDED: "good", Status.DEAD: "bad"}.get(Status(job.status), "")
        told.append(Moment(f"{_(job.status)}{f': {_(job.result)}' if job.result else ''}", job.finished_at, tone=tone))
    if job.status in WAITING:
        told.append(Moment(pgettext("moment", "due"), job.next_attempt_at))
    told.sort(key=lambda moment: moment.at)
    return [
        Moment(moment.name, moment.at, (moment.at - told[index - 1].at).total_seconds() if index else None, moment.tone)
        for index, moment in enumerate(told)
    ]


def _steps(job: JobExecution) -> list[Moment]:
    """Return the steps of the attempt under way, or of the one that succeeded; those of failed ones are told apart."""
    if job.status not in {Status.RUNNING, Status.SUCCEEDED}:
        return []
    moments = [(_(step["step"]) or f"{step['progress']} %", parse_datetime(step["at"])) for step in steps_of(job)]
    return [Moment(name, at) for name, at in moments if at is not None]


def before(job: JobExecution) -> QuerySet[JobExecution]:
    """Return the jobs of its kind on the same subject that were made before it, the latest first."""
    same = JobExecution.objects.filter(kind=job.kind, subject=job.subject).exclude(id=job.id)
    return same.filter(created_at__lte=job.created_at).order_by("-created_at")[:NEIGHBOURS]


def after(job: JobExecution) -> QuerySet[JobExecution]:
    """Return the jobs of its kind on the same subject that were made after it, the earliest first."""
    same = JobExecution.objects.filter(kind=job.kind, subject=job.subject)
    return same.filter(created_at__gt=job.created_at).order_by("created_at")[:NEIGHBOURS]


def ended_with(job: JobExecution) -> int:
    """Return how many other jobs of its batch succeeded with it: they shared its call to the provider."""
    if job.status != Status.SUCCEEDED or not job.worker:
        return 0
    # One statement ends all that succeed together, and gives all of them its time.
    same = JobExecution.objects.filter(
        finished_at=job.finished_at, kind=job.kind, worker=job.worker, started_at=job.started_at
    )
    return max(0, same.count() - 1)
