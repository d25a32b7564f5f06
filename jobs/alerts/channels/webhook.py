"""A signed webhook, by the rules of standardwebhooks.com: HMAC-SHA256 over id, timestamp and body."""

import asyncio
import contextlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import unquote, urlsplit

import httpx2
from django.conf import settings
from standardwebhooks import Webhook

from jobs.alerts.channels.base import Channel
from jobs.alerts.message import payload
from jobs.alerts.models import AlertEvent
from jobs.clean import MASK, clean
from jobs.errors import AuthError, ConfigurationError, JobError, NetworkError, RateLimited, ServerError

#: Seconds to connect, and to wait for the next piece of the answer.
CONNECT, READ = 5.0, 10.0
#: Seconds for everything together, from looking the host up to the answer.
OVERALL = 20.0
#: Bytes of an answer that are read, for the error message.
ANSWER = 500
#: A `Retry-After` beyond this many seconds is shortened.
LONGEST_WAIT = 3600.0


def enabled() -> bool:
    """Tell whether there is an address."""
    return bool(settings.ALERT_WEBHOOK_URL)


def deliver(event: AlertEvent) -> None:
    """Post the event. Repeated deliveries carry the same id, each its own timestamp and signature."""
    body = json.dumps(payload(event), ensure_ascii=False)
    now = datetime.now(UTC)
    headers = {
        "content-type": "application/json",
        "user-agent": "yellowbook-alerts",
        "webhook-id": str(event.pk),
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(settings.ALERT_WEBHOOK_SECRET).sign(str(event.pk), now, body),
    }
    try:
        status, retry_after, answer = asyncio.run(_post(body.encode(), headers))
    except (TimeoutError, httpx2.TimeoutException) as error:
        raise NetworkError("The webhook gave no answer in time.") from error
    except (httpx2.HTTPError, OSError) as error:
        # Its text may hold the address, and addresses of webhooks are often secret.
        raise NetworkError(f"The webhook was not reached: {type(error).__name__}.") from error
    except httpx2.InvalidURL as error:
        raise ConfigurationError("ALERT_WEBHOOK_URL is no address that can be asked.") from error
    if not 200 <= status < 300:
        raise classified(status, retry_after, answer)


async def _post(body: bytes, headers: Mapping[str, str]) -> tuple[int, float | None, str]:
    """Return the status, the seconds to wait and the beginning of the answer.

    Asynchronous for the sake of one deadline over everything: the client's own timeouts are per read.
    """
    timeout = httpx2.Timeout(READ, connect=CONNECT)
    async with (
        asyncio.timeout(OVERALL),
        httpx2.AsyncClient(timeout=timeout, follow_redirects=False, trust_env=False) as client,
        client.stream("POST", settings.ALERT_WEBHOOK_URL, content=body, headers=dict(headers)) as response,
    ):
        answer = b""
        if not response.is_success:
            async for piece in response.aiter_raw():
                answer += piece
                if len(answer) >= ANSWER:
                    break
        wait = _seconds(response.headers.get("retry-after", ""))
        return response.status_code, wait, answer[:ANSWER].decode(errors="replace")


def _seconds(retry_after: str) -> float | None:
    """Read a `Retry-After`: seconds, or a date. None for neither, or for one that has passed."""
    seconds: float | None = None
    if retry_after.isascii() and retry_after.isdigit():
        seconds = float(retry_after)
    else:
        with contextlib.suppress(ValueError, TypeError):
            seconds = (parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds()
    return min(seconds, LONGEST_WAIT) if seconds is not None and seconds > 0 else None


def classified(status: int, retry_after: float | None, answer: str) -> JobError:
    """Return what an answer means for the job: 408, 409, 429 and 5xx may pass, the rest will not."""
    told = f"The webhook answered {status}: {_harmless(answer) or 'nothing'}"
    if status == 429:
        return RateLimited(told, status_code=status, retry_after=retry_after)
    if status in {408, 409} or status >= 500:
        return ServerError(told, status_code=status, retry_after=retry_after)
    if status in {401, 403}:
        return AuthError(told, status_code=status)
    if 300 <= status < 400:
        return ConfigurationError(
            f"The webhook answered {status}: redirects are not followed, give ALERT_WEBHOOK_URL the address itself.",
            status_code=status,
        )
    return ConfigurationError(told, status_code=status)


def _harmless(answer: str) -> str:
    """Return an answer without what it may echo: the key, and the address, which is often a secret itself."""
    parts = urlsplit(settings.ALERT_WEBHOOK_URL)
    key = settings.ALERT_WEBHOOK_SECRET
    path = unquote(parts.path)
    echoes = (key, key.removeprefix("whsec_"), parts.query, parts.path, path, parts.path.strip("/"), path.strip("/"))
    for echo in filter(None, echoes):
        answer = answer.replace(echo, MASK) if len(echo) > 1 else answer
    return clean(answer).strip()[:ANSWER]


channel = Channel(name="webhook", enabled=enabled, deliver=deliver)
