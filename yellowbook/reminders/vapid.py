"""Our key towards push services (VAPID, RFC 8292)."""

import time
from base64 import urlsafe_b64encode
from typing import Final
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from py_vapid import Vapid02

#: Seconds for which a signature is good; push services take up to a day.
GOOD_FOR: Final = 12 * 3600


def public_key() -> str:
    """Return what browsers subscribe with (`applicationServerKey`), base64url; empty when push is not set up."""
    if not settings.REMINDERS_VAPID_PRIVATE_KEY:
        return ""
    point = _vapid().public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return urlsafe_b64encode(point).decode().rstrip("=")


def authorization(endpoint: str) -> str:
    """Return the header that says who sends to `endpoint`, and whom the push service can write to about it."""
    parts = urlsplit(endpoint)
    signed = _vapid().sign(
        {
            "aud": f"{parts.scheme}://{parts.netloc}",
            "exp": int(time.time()) + GOOD_FOR,
            "sub": settings.REMINDERS_VAPID_SUBJECT,
        }
    )
    return str(signed["Authorization"])


def _vapid() -> Vapid02:
    return Vapid02.from_raw(settings.REMINDERS_VAPID_PRIVATE_KEY.encode())
