"""Telling a seller what came of a sync, by signed webhook and by e-mail."""

import base64
import hashlib
import hmac
from typing import Any, Final

from django.conf import settings

from yellowbook.catalogue.models import Listing, Page, Seller, Sync
from yellowbook.notifications.owners import Recipient
from yellowbook.notifications.services import notify

#: What owners of notifications are called here: `seller:<id>`.
OWNER: Final = "seller"
#: Listings and pages that a message names.
MOST_NAMED: Final = 20
_COUNTS: Final = ("new", "changed", "unchanged", "vanished", "rejected")


def recipient(seller_id: str) -> Recipient | None:
    """Return how a seller is reached; None when it is gone."""
    seller = Seller.objects.filter(pk=seller_id).first()
    if seller is None:
        return None
    return Recipient(
        webhook_url=seller.webhook_url,
        secret=signing_secret(seller) if seller.webhook_url else "",
        email=seller.notification_email,
    )


def signing_secret(seller: Seller) -> str:
    """Return the key that signs a seller's webhooks, `whsec_` and base64.

    It is derived from the installation's secret key (HMAC-SHA256), so no row holds it; a new `webhook_key` makes
    another one.
    """
    told = f"webhook:{seller.pk}:{seller.webhook_key}".encode()
    return "whsec_" + base64.b64encode(hmac.digest(settings.SECRET_KEY.encode(), told, hashlib.sha256)).decode()


def tell(sync: Sync) -> None:
    """Tell the seller that a sync has ended, in the transaction that ends it."""
    counts = {name: getattr(sync, name) for name in _COUNTS}
    invalid = Listing.objects.filter(source=sync.source_id, stage=Listing.Stage.INVALID).order_by("name")
    failed = Page.objects.filter(sync=sync, state=Page.State.FAILED).order_by("url")
    payload: dict[str, Any] = {
        "sync_id": str(sync.pk),
        "source_id": str(sync.source_id),
        "url": sync.source.url,
        "state": sync.state,
        "error": sync.error,
        "listings": counts,
        "invalid": list(invalid.values("name", "reason")[:MOST_NAMED]),
        "failed_pages": list(failed.values("url", "error")[:MOST_NAMED]),
    }
    notify(
        f"catalogue.{sync.state}",
        payload,
        owner=f"{OWNER}:{sync.source.seller_id}",
        subject=f"Your catalogue {sync.source.url}: sync {sync.state}",
        body=_letter(payload),
    )


def _letter(payload: dict[str, Any]) -> str:
    counts = ", ".join(f"{number} {name}" for name, number in payload["listings"].items())
    lines = [f"The sync of {payload['url']} is {payload['state']}: {counts}.", payload["error"]]
    lines += [f"Makes no listing: {each['name']}: {each['reason']}" for each in payload["invalid"]]
    lines += [f"Could not be read: {each['url']}: {each['error']}" for each in payload["failed_pages"]]
    return "\n".join(filter(None, lines))
