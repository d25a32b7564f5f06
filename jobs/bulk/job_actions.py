"""What can be done to many jobs."""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, QuerySet
from django.utils.translation import gettext_noop, ngettext

from jobs.actor import Actor
from jobs.bulk.actions import Action, Asked, Outcome, Words, Written, register
from jobs.bulk.keyset import ByTime
from jobs.bulk.reasons import IT_IS
from jobs.deadletters import ANOTHER
from jobs.lifecycle import cancel_many, retry_many
from jobs.models import JobExecution
from jobs.states import WAITING, Status

_ANOTHER_WAITS = Exists(
    JobExecution.objects.filter(kind=OuterRef("kind"), subject=OuterRef("subject"), status__in=WAITING)
)


def _by_state(jobs: QuerySet[JobExecution]) -> dict[str, int]:
    """Count jobs by their state."""
    found = jobs.order_by().values("status").annotate(jobs=Count("pk"))
    return {row["status"]: row["jobs"] for row in found}


def _reasons(by_state: Mapping[str, int]) -> dict[str, int]:
    """Return why jobs in these states are left alone."""
    return {f"{IT_IS}{status}": jobs for status, jobs in by_state.items()}


def _retry_outlook(jobs: QuerySet[JobExecution]) -> Outcome:
    by_state = _by_state(jobs)
    dead = by_state.pop(Status.DEAD, 0)
    free = jobs.filter(~_ANOTHER_WAITS, status=Status.DEAD).order_by()
    subjects = free.values("kind", "subject").distinct().count() if dead else 0
    return Outcome(subjects, {**_reasons(by_state), **({ANOTHER: dead - subjects} if dead > subjects else {})})


def _retry(ids: Sequence[UUID], asked: Asked, written: Written | None) -> Outcome:
    with transaction.atomic():
        dead = list(_locked(ids).filter(status=Status.DEAD))
        kinds = retry_many([job.id for job in dead], actor=Actor(asked.by, asked.source))
        mine = {job.id for job in dead}
        waiting = JobExecution.objects.filter(id__in=mine, status=Status.QUEUED)
        done = set(waiting.values_list("id", flat=True))
        by_state = _by_state(JobExecution.objects.filter(id__in=set(ids) - done))
        left_dead = by_state.pop(Status.DEAD, 0)
        reasons = {**_reasons(by_state), **({ANOTHER: left_dead} if left_dead else {})}
        if written and done:
            written([job for job in dead if job.id in done])
    return Outcome(len(done), reasons, kinds)


def _cancel_outlook(jobs: QuerySet[JobExecution]) -> Outcome:
    by_state = _by_state(jobs)
    waiting = sum(by_state.pop(status, 0) for status in WAITING)
    return Outcome(waiting, _reasons(by_state))


def _cancel(ids: Sequence[UUID], asked: Asked, written: Written | None) -> Outcome:
    with transaction.atomic():
        waiting = list(_locked(ids).filter(status__in=WAITING))
        done = set(cancel_many([job.id for job in waiting], by=asked.by))
        reasons = _reasons(_by_state(JobExecution.objects.filter(id__in=set(ids) - done)))
        if written and done:
            written([job for job in waiting if job.id in done])
    return Outcome(len(done), reasons)


def _locked(ids: Sequence[UUID]) -> QuerySet[JobExecution]:
    """Return jobs as they are now, locked in the order in which all others lock them, without their long columns."""
    jobs = JobExecution.objects.filter(id__in=ids).order_by("kind", "subject", "-created_at", "id")
    return jobs.only("id", "kind", "subject", "status").select_for_update()


def _selected(jobs: int) -> str:
    return ngettext("%(total)s selected job", "%(total)s selected jobs", jobs) % {"total": f"{jobs:,}"}


#: What the person chose by filter.
_MATCHING: Final = gettext_noop("All %(total)s jobs that match")
_EVERY: Final = gettext_noop("All %(total)s jobs")

RETRY_JOBS: Final = register(
    Action(
        name="retry_jobs",
        model=JobExecution,
        entry="waiting again",
        words=Words(
            title=gettext_noop("Retry jobs"),
            selected=_selected,
            matching=_MATCHING,
            every=_EVERY,
            outlook=gettext_noop("Would wait again"),
            done=gettext_noop("Waiting again"),
            button=gettext_noop("Retry %(count)s"),
            outcome=gettext_noop("%(changed)s waiting again, %(skipped)s skipped"),
        ),
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
        entry="cancelled",
        words=Words(
            title=gettext_noop("Cancel jobs"),
            selected=_selected,
            matching=_MATCHING,
            every=_EVERY,
            outlook=gettext_noop("Would be cancelled"),
            done=gettext_noop("Cancelled"),
            button=gettext_noop("Cancel %(count)s"),
            outcome=gettext_noop("%(changed)s cancelled, %(skipped)s skipped"),
        ),
        permission="jobs.cancel_job",
        keyset=ByTime(),
        outlook=_cancel_outlook,
        apply=_cancel,
        was=lambda job: job.status,
    )
)
