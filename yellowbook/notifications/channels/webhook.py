"""A signed webhook, by the rules of standardwebhooks.com: HMAC-SHA256 over id, timestamp and body."""

import json
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final

from django.conf import settings
from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError

from jobs.errors import JobError
from yellowbook.catalogue.fetch.errors import Busy, Failed
from yellowbook.notifications.channels.base import Channel, Said
from yellowbook.notifications.channels.post import post
from yellowbook.notifications.errors import Rejected
from yellowbook.notifications.models import Delivery
from yellowbook.notifications.owners import Recipient

#: Refusals that may pass, besides 429 and 5xx.
PASSING: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY})


def reaches(recipient: Recipient) -> bool:
    """Tell whether the owner has an address."""
    return bool(recipient.webhook_url)


def send(delivery: Delivery, recipient: Recipient, said: Said) -> None:
    """Post the message. Every attempt carries the same id, each its own timestamp and signature."""
    body = canonical(delivery)
    now = datetime.now(UTC)
    headers = {
        "content-type": "application/json",
        "webhook-id": str(delivery.pk),
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": _signature(delivery, recipient, now, body),
    }
    retry_after = post(
        recipient.webhook_url, body.encode(), headers, said, allow_private=settings.CATALOGUE_ALLOW_PRIVATE
    )
    if said.status is not None and not 200 <= said.status < 300:
        raise classified(said.status, retry_after)


def canonical(delivery: Delivery) -> str:
    """Return the body: JSON without white space, keys in order, the same for every attempt."""
    told = {"type": delivery.event, "timestamp": delivery.occurred_at.isoformat(), "data": delivery.payload}
    return json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _signature(delivery: Delivery, recipient: Recipient, at: datetime, body: str) -> str:
    try:
        return Webhook(recipient.secret).sign(str(delivery.pk), at, body)
    except (ValueError, EmptyWebhookSecretError):
        raise Rejected("The owner's secret signs nothing: expected whsec_ and base64.") from None


def classified(status: int, retry_after: float | None) -> JobError:
    """Return what an answer means: 408, 425, 429 and 5xx may pass, redirects and all other refusals will not."""
    told = f"The receiver answered {status}."
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Busy(told, status_code=status, retry_after=retry_after)
    if status in PASSING or status >= 500:
        return Failed(told, status_code=status, retry_after=retry_after)
    if 300 <= status < 400:
        return Rejected(f"The receiver answered {status}: redirects are not followed.")
    return Rejected(told)


channel = Channel(reaches=reaches, send=send)
