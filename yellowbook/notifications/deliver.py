"""The work of the job `deliver_notification`: one attempt, and what is written down of it."""

import time
import traceback
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final
from uuid import UUID

from django.db.models.functions import Now

from jobs.batch import Batch
from jobs.errors import JobError, NotFound, ServerError
from jobs.lifecycle import ClaimedJob, Failure, Postponed
from jobs.lifecycle.finish import Outcome
from yellowbook.notifications import policy
from yellowbook.notifications.channels import CHANNELS, Said
from yellowbook.notifications.hide import hidden
from yellowbook.notifications.models import Delivery, DeliveryAttempt
from yellowbook.notifications.names import DELIVERED, DELIVERED_BEFORE, SWITCHED_OFF
from yellowbook.notifications.owners import Recipient, recipient_of

State = Delivery.State
#: Why nothing is sent to an owner whom the channel does not reach.
UNREACHABLE: Final = "The channel is switched off, or the owner has no address for it any more."


@dataclass(slots=True)
class Attempt:
    """An attempt under way."""

    said: Said = field(default_factory=Said)
    #: Whether there was anything to try; else nothing is written down.
    begun: bool = False
    #: On the monotonic clock.
    began: float = field(default_factory=time.monotonic)

    @property
    def ms(self) -> int:
        """Milliseconds since it began."""
        return round((time.monotonic() - self.began) * 1000)


def deliver(batch: Batch) -> None:
    """Deliver the messages of a batch; each attempt is written down in the transaction that ends its job."""
    for job in batch.jobs:
        attempt = Attempt()
        batch.before_finish(partial(_note, batch, job, attempt))
        batch.succeed(job, _try(job, attempt))


def _try(job: ClaimedJob, attempt: Attempt) -> str:
    """Send the message, unless that was done; return how it ended. Raises a `JobError`."""
    delivery = Delivery.objects.filter(pk=job.subject).first()
    if delivery is None:
        raise NotFound("The delivery is not kept any more.")
    if delivery.state == State.SENT:
        return DELIVERED_BEFORE
    attempt.begun = True
    recipient = recipient_of(delivery.owner)
    if recipient is None:
        raise NotFound(f"There is no {delivery.owner} any more.")
    if not CHANNELS[delivery.channel].reaches(recipient):
        return SWITCHED_OFF
    _send(delivery, recipient, attempt)
    return DELIVERED


def _send(delivery: Delivery, recipient: Recipient, attempt: Attempt) -> None:
    """Send over the channel; whatever it says or raises leaves without the owner's secret."""
    try:
        CHANNELS[delivery.channel].send(delivery, recipient, attempt.said)
    except JobError as error:
        error.message = hidden(error.message, recipient)
        error.sample = hidden(attempt.said.answer, recipient) or None
        raise
    except Exception as error:
        # A defect of ours. Its words may hold the secret, which nobody else knows for one: told is where it is.
        at = traceback.extract_tb(error.__traceback__)[-1]
        raise ServerError(f"{type(error).__name__} at {at.filename}:{at.lineno}") from None
    finally:
        attempt.said.answer = hidden(attempt.said.answer, recipient)


def _note(batch: Batch, job: ClaimedJob, attempt: Attempt, held: Collection[UUID]) -> Mapping[UUID, Outcome]:
    """Write an attempt down, if its job is still ours, and have a failed one wait as the policy says."""
    outcome = batch.outcomes[job.id]
    if isinstance(outcome, Failure):
        outcome.error.retry_after = policy.pause(job, outcome.error)
    if job.id not in held or not attempt.begun or isinstance(outcome, Postponed):
        return {}
    delivery = Delivery.objects.select_for_update().filter(pk=job.subject).first()
    if delivery is None:
        return {}
    error = _error(outcome)
    delivery.attempts += 1
    delivery.last_status, delivery.last_answer = attempt.said.status, attempt.said.answer
    delivery.last_error = error
    if not error:
        delivery.state, delivery.sent_at = State.SENT, Now()
    elif not isinstance(outcome, Failure) or policy.is_last(job, outcome.error):
        delivery.state = State.FAILED
    delivery.save(update_fields=["attempts", "last_status", "last_answer", "last_error", "state", "sent_at"])
    DeliveryAttempt.objects.create(
        delivery=delivery, number=delivery.attempts, status=attempt.said.status, ms=attempt.ms, error=error
    )
    return {}


def _error(outcome: Outcome) -> str:
    """Return why a message was not sent; empty when it was."""
    if isinstance(outcome, Failure):
        return outcome.error.message
    return UNREACHABLE if outcome == SWITCHED_OFF else ""
