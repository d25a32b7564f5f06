"""The work of the job `send_reminder`: one attempt over one channel, and the record of its delivery."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from uuid import UUID

from django.db.models import F
from django.db.models.functions import Now

from jobs import clock
from jobs.batch import Batch
from jobs.lifecycle import ClaimedJob, Failure, Postponed
from jobs.lifecycle.finish import Outcome
from yellowbook.notifications import policy
from yellowbook.reminders.channels import CHANNELS
from yellowbook.reminders.channels.base import Attempt
from yellowbook.reminders.dispatch import LATE
from yellowbook.reminders.models import DeliveryRecord, Schedule
from yellowbook.reminders.names import NOT_WANTED, SENT, SKIPPED, TOO_LATE

State = Schedule.State
#: States in which a job may send a reminder.
WANTED = (State.QUEUED, State.DELAYED)


@dataclass(slots=True)
class Try:
    """What a job does about its reminder."""

    #: Why it is left out; empty: it is not.
    skipped: str = ""
    #: Whether there was an attempt.
    begun: bool = False
    attempt: Attempt = field(default_factory=Attempt)


def send(batch: Batch) -> None:
    """Send the reminders of a batch; each attempt is written down in the transaction that ends its job."""
    for job in batch.jobs:
        made = Try()
        batch.before_finish(partial(_note, batch, job, made))
        batch.succeed(job, _try(job, made))


def _try(job: ClaimedJob, made: Try) -> str:
    """Send the reminder, unless it is not wanted any more or can't be; return how it ended. Raises a `JobError`."""
    rows = Schedule.objects.select_related("occasion__owner", "occasion__business", "delivery")
    schedule = rows.filter(pk=job.subject).first()
    # A dead letter that a person retries finds its reminder failed, and may send it.
    if schedule is None or schedule.state not in (*WANTED, State.FAILED):
        return NOT_WANTED
    channel = CHANNELS[schedule.channel]
    late = clock.now() - schedule.due_at > timedelta(seconds=LATE)
    made.skipped = TOO_LATE if late else channel.obstacle(schedule)
    if made.skipped:
        return SKIPPED
    made.begun = True
    if hasattr(schedule, "delivery"):
        made.attempt.reached = list(schedule.delivery.reached)
    channel.send(schedule, made.attempt)
    return SENT


def _note(batch: Batch, job: ClaimedJob, made: Try, held: Collection[UUID]) -> Mapping[UUID, Outcome]:
    """Write down what came of an attempt, if its job is still ours; a failed one waits as the policy says."""
    outcome = batch.outcomes[job.id]
    failure = outcome if isinstance(outcome, Failure) else None
    if failure:
        failure.error.retry_after = policy.pause(job, failure.error)
    if job.id not in held or isinstance(outcome, Postponed) or not (made.begun or made.skipped):
        return {}
    schedule = Schedule.objects.select_for_update().filter(pk=job.subject).first()
    if schedule is None:
        return {}
    if made.begun:
        _record(schedule, made.attempt, _outcome(job, failure, made), failure.error.message if failure else "")
    # Whoever changed the occasion meanwhile has the last word, unless it is sent.
    if schedule.state in (*WANTED, State.FAILED) or (made.begun and not failure):
        schedule.state = State(_outcome(job, failure, made)) if made.begun else State.SKIPPED
        schedule.reason = made.skipped or (failure.error.message if failure else "")
        schedule.save(update_fields=["state", "reason"])
    return {}


def _outcome(job: ClaimedJob, failure: Failure | None, made: Try) -> str:
    """Return how an attempt leaves its delivery. A reminder that some browsers have, and others never will, is sent."""
    if failure is None:
        return DeliveryRecord.Outcome.SENT
    if not policy.is_last(job, failure.error):
        return DeliveryRecord.Outcome.DELAYED
    return DeliveryRecord.Outcome.SENT if made.attempt.reached else DeliveryRecord.Outcome.FAILED


def _record(schedule: Schedule, attempt: Attempt, outcome: str, error: str) -> None:
    """Write the one record of a reminder's delivery, or add to it."""
    changed = {
        "outcome": outcome,
        "last_status": attempt.said.status,
        "last_error": error,
        "reached": attempt.reached,
        "sent_at": Now() if outcome == DeliveryRecord.Outcome.SENT else None,
    }
    record, _ = DeliveryRecord.objects.get_or_create(schedule=schedule, defaults={**changed, "attempts": 0})
    DeliveryRecord.objects.filter(pk=record.pk).update(**changed, attempts=F("attempts") + 1)
