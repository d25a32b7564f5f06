"""The work of the job `deliver_alert`: one event over one channel."""

from uuid import UUID

from jobs.alerts.channels import CHANNELS
from jobs.alerts.models import AlertEvent
from jobs.batch import Batch
from jobs.errors import NotFound


def deliver(batch: Batch) -> None:
    """Deliver the events of a batch; a channel that was switched off meanwhile has nothing to deliver."""
    for job in batch.jobs:
        event_id, _, name = job.subject.partition(":")
        channel = CHANNELS.get(name)
        if channel is None:
            batch.fail(job, NotFound(f"There is no channel {name!r} any more."))
        elif not channel.enabled():
            batch.succeed(job, "switched off")
        else:
            channel.deliver(_event(event_id))
            batch.succeed(job, "delivered")


def _event(event_id: str) -> AlertEvent:
    """Return the event; `NotFound` when it was pruned, or never was."""
    try:
        return AlertEvent.objects.get(pk=UUID(event_id))
    except (AlertEvent.DoesNotExist, ValueError):
        raise NotFound("The event is not kept any more.") from None
