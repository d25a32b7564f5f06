"""Having somebody told, and told again."""

from collections.abc import Collection, Mapping
from typing import Any

from django.db import transaction

from jobs.actor import Actor
from jobs.enqueue import enqueue_many
from yellowbook.notifications.channels import CHANNELS
from yellowbook.notifications.models import Delivery
from yellowbook.notifications.names import DELIVER_NOTIFICATION
from yellowbook.notifications.owners import recipient_of


def notify(
    event: str,
    payload: Mapping[str, Any],
    *,
    owner: str,
    subject: str = "",
    body: str = "",
    channels: Collection[str] | None = None,
    actor: Actor | None = None,
) -> list[Delivery]:
    """Have `owner` (`kind:id`) told of `event`; call it in the transaction of the event.

    `payload` is the data of a webhook, `subject` and `body` are the letter. `channels` are all over which the owner can
    be reached now, unless given: an owner who can't be reached is not told, and the list is empty. Nothing is sent
    before the transaction commits. Raises `owners.UnknownOwner`, `ValueError` for an unknown channel, and `TypeError`
    for a payload that is no JSON.
    """
    if channels is None:
        recipient = recipient_of(owner)
        channels = [name for name, channel in CHANNELS.items() if recipient and channel.reaches(recipient)]
    made = [
        Delivery(
            event=event,
            owner=owner,
            channel=Delivery.Channel(channel),
            payload=_storable(payload),
            subject=_storable(subject),
            body=_storable(body),
        )
        for channel in dict.fromkeys(channels)
    ]
    return _entered(made, actor, operation="create")


def replay(delivery: Delivery, *, actor: Actor) -> Delivery:
    """Send a delivery again, whatever came of it: as a new one, with an id of its own, that names the one repeated."""
    again = Delivery(
        event=delivery.event,
        owner=delivery.owner,
        channel=delivery.channel,
        payload=delivery.payload,
        subject=delivery.subject,
        body=delivery.body,
        occurred_at=delivery.occurred_at,
        repeats=delivery,
    )
    return _entered([again], actor, operation="retry")[0]


def _entered(made: list[Delivery], actor: Actor | None, *, operation: str) -> list[Delivery]:
    """Store deliveries, each with its job."""
    with transaction.atomic(savepoint=False):
        Delivery.objects.bulk_create(made)
        enqueue_many(
            DELIVER_NOTIFICATION,
            [each.pk for each in made],
            operation=operation,
            actor=actor,
            extras=[{"original_name": f"{each.event}, {each.channel}"} for each in made],
        )
    return made


def _storable(value: Any) -> Any:
    """Return a value with its texts as PostgreSQL can store them: texts from outside may hold NUL and half letters."""
    if isinstance(value, str):
        return value.replace("\x00", "").encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {_storable(key): _storable(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_storable(each) for each in value]
    return value
