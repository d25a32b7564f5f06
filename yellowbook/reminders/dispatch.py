"""From rows to jobs: the leader's look for reminders that are due, and the sweep that catches what it missed."""

from typing import Final

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet, TextField
from django.db.models.functions import Cast, Now

from jobs.batch import Batch
from jobs.clock import ago
from jobs.enqueue import enqueue, enqueue_many
from jobs.models import DeadLetter, JobExecution
from jobs.periodic import SUBJECT
from jobs.states import Status
from yellowbook.reminders.models import DeliveryRecord, Occasion, Schedule
from yellowbook.reminders.names import CALLED_OFF, SEND_REMINDER, SWEEP_REMINDERS, SWEPT, TOO_LATE
from yellowbook.reminders.planning import plan

State = Schedule.State
#: Rows of one transaction.
BATCH: Final = 100
#: Seconds after which a reminder is not sent any more: a day.
LATE: Final = 86_400.0
#: States of a job that will still be worked on.
_LIVE: Final = (Status.QUEUED, Status.RETRYING, Status.RUNNING)
#: Seconds after which a reminder that waits is overdue: the leader has had many looks by then.
OVERDUE: Final = 60.0


def dispatch_due() -> int:
    """Make jobs of up to `BATCH` reminders that are due, the oldest first; return how many rows were dealt with.

    Rows and jobs are one transaction, and rows that another process holds are passed over: two leaders at once make
    one job of each. What is more than `LATE` seconds late is skipped, and says so.
    """
    with transaction.atomic():
        due = Schedule.objects.filter(state=State.WAITING, due_at__lte=Now()).order_by("due_at", "pk")
        ids = list(due.select_for_update(skip_locked=True).values_list("pk", flat=True)[:BATCH])
        taken = Schedule.objects.filter(pk__in=ids)
        taken.filter(due_at__lte=ago(LATE)).update(state=State.SKIPPED, reason=TOO_LATE)
        wanted = list(taken.filter(state=State.WAITING).order_by("due_at", "pk").values_list("pk", flat=True))
        taken.filter(pk__in=wanted).update(state=State.QUEUED)
        enqueue_many(SEND_REMINDER, wanted, operation="create", priority="high")
    return len(ids)


def plan_due() -> int:
    """Plan up to `BATCH` occasions again whose next occurrence is over; return how many."""
    ids = list(Occasion.objects.filter(plan_at__lte=Now()).order_by("plan_at").values_list("pk", flat=True)[:BATCH])
    for occasion in Occasion.objects.filter(pk__in=ids):
        plan(occasion)
    return len(ids)


def settle_called_off() -> int:
    """Mark up to `BATCH` reminders as failed whose jobs ended without them, as by a person; return how many."""
    with transaction.atomic():
        lost = _called_off().order_by("due_at", "pk")
        ids = list(lost.select_for_update(skip_locked=True).values_list("pk", flat=True)[:BATCH])
        DeliveryRecord.objects.filter(schedule__in=ids).update(outcome=DeliveryRecord.Outcome.FAILED)
        Schedule.objects.filter(pk__in=ids).update(state=State.FAILED, reason=CALLED_OFF)
    return len(ids)


def _called_off() -> QuerySet[Schedule]:
    """Return the reminders that wait for jobs which are over."""
    subject = Cast(OuterRef("pk"), TextField())
    jobs = JobExecution.objects.filter(kind=SEND_REMINDER, subject=subject, status__in=_LIVE)
    letters = DeadLetter.objects.filter(kind=SEND_REMINDER, subject=subject, resolved_at__isnull=True)
    return Schedule.objects.filter(~Exists(jobs), ~Exists(letters), state__in=[State.QUEUED, State.DELAYED])


def have_swept() -> bool:
    """Make a job of the sweep if there is anything for it; tell whether there is."""
    found = (
        Occasion.objects.filter(plan_at__lte=Now()).exists()
        or Schedule.objects.filter(state=State.WAITING, due_at__lte=ago(OVERDUE)).exists()
        or _called_off().exists()
    )
    if found:
        enqueue(SWEEP_REMINDERS, subject=SUBJECT)
    return found


def sweep(batch: Batch) -> None:
    """Plan ahead, and deal with all that is overdue, batch by batch; the work of `sweep_reminders`."""
    for step in (plan_due, dispatch_due, settle_called_off):
        while step() == BATCH:
            batch.step(50, publish=True)
    for job in batch.jobs:
        batch.succeed(job, SWEPT)
