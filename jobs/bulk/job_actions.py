"""What can be done to many jobs."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Case, CharField, Count, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Concat
from django.utils.translation import gettext_lazy as _

from jobs.actor import Actor
from jobs.bulk.actions import Action, Asked, Outcome, Written, register
from jobs.bulk.keyset import ByTime
from jobs.deadletters import ANOTHER
from jobs.lifecycle import cancel_many, retry_many
from jobs.models import JobExecution
from jobs.states import WAITING, Status

_ANOTHER_WAITS = Exists(
    JobExecution.objects.filter(kind=OuterRef("kind"), subject=OuterRef("subject"), status__in=WAITING)
)
_ITS_STATE = Concat(Value("it is "), F("status"))
#: Why a job is not made to wait, and why it is not called off.
_NOT_RETRIED = [When(~Q(status=Status.DEAD), then=_ITS_STATE), When(_ANOTHER_WAITS, then=Value(ANOTHER))]
_NOT_CANCELLED = [When(~Q(status__in=WAITING), then=_ITS_STATE)]


def _sorted_out(jobs: QuerySet[JobExecution], cases: Sequence[When]) -> dict[str, int]:
    """Count jobs by the case that applies to them; those that none applies to under an empty text."""
    why = Case(*cases, default=Value(""), output_field=CharField())
    found = jobs.order_by().annotate(why=why).values("why").annotate(jobs=Count("id"))
    return {row["why"]: row["jobs"] for row in found}


def _retry_outlook(jobs: QuerySet[JobExecution]) -> Outcome:
    reasons = _sorted_out(jobs, _NOT_RETRIED)
    free = reasons.pop("", 0)
    dead = jobs.filter(~_ANOTHER_WAITS, status=Status.DEAD).order_by()
    subjects = dead.values("kind", "subject").distinct().count()
    if free > subjects:
        reasons[ANOTHER] = reasons.get(ANOTHER, 0) + free - subjects
    return Outcome(subjects, reasons)


def _retry(ids: Sequence[UUID], asked: Asked, written: Written | None) -> Outcome:
    with transaction.atomic():
        dead = list(_locked(ids).filter(status=Status.DEAD))
        kinds = retry_many([job.id for job in dead], actor=Actor(asked.by, asked.source))
        mine = {job.id for job in dead}
        waiting = JobExecution.objects.filter(id__in=mine, status=Status.QUEUED)
        done = set(waiting.values_list("id", flat=True))
        reasons = _sorted_out(JobExecution.objects.filter(id__in=set(ids) - done), _NOT_RETRIED)
        free = reasons.pop("", 0)
        if free:
            # The job that waited on the subject has been claimed since.
            reasons[ANOTHER] = reasons.get(ANOTHER, 0) + free
        if written and done:
            written([job for job in dead if job.id in done])
    return Outcome(len(done), reasons, kinds)


def _cancel_outlook(jobs: QuerySet[JobExecution]) -> Outcome:
    reasons = _sorted_out(jobs, _NOT_CANCELLED)
    return Outcome(reasons.pop("", 0), reasons)


def _cancel(ids: Sequence[UUID], asked: Asked, written: Written | None) -> Outcome:
    with transaction.atomic():
        waiting = list(_locked(ids).filter(status__in=WAITING))
        done = set(cancel_many([job.id for job in waiting], by=asked.by))
        reasons = _sorted_out(JobExecution.objects.filter(id__in=set(ids) - done), _NOT_CANCELLED)
        if written and done:
            written([job for job in waiting if job.id in done])
    return Outcome(len(done), reasons)


def _locked(ids: Sequence[UUID]) -> QuerySet[JobExecution]:
    """Return jobs as they are now, locked in the order in which all others lock them, without their long columns."""
    jobs = JobExecution.objects.filter(id__in=ids).order_by("kind", "subject", "-created_at", "id")
    return jobs.only("id", "kind", "subject", "status").select_for_update()


RETRY_JOBS: Final = register(
    Action(
        name="retry_jobs",
        model=JobExecution,
        verb=_("Retry"),
        done=_("waiting again"),
        rows=_("jobs"),
        permission="jobs.retry_job",
        keyset=ByTime(),
        outlook=_retry_outlook,
        apply=_retry,
        was=lambda job: job.status,
        paced=True,
    )
)
CANCEL_JOBS: Final = register(
    Action(
        name="cancel_jobs",
        model=JobExecution,
        verb=_("Cancel"),
        done=_("cancelled"),
        rows=_("jobs"),
        permission="jobs.cancel_job",
        keyset=ByTime(),
        outlook=_cancel_outlook,
        apply=_cancel,
        was=lambda job: job.status,
    )
)
