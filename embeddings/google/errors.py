"""What Google's errors mean: one classification for both SDKs and all calls.

The wire format is that of `generativelanguage.googleapis.com`, version v1beta: a JSON object `error` with `code`,
`message`, `status` (the gRPC name) and `details`, a list of typed objects of which `ErrorInfo`, `QuotaFailure` and
`RetryInfo` matter here.
"""

import json
import re
from collections.abc import Sequence
from typing import Any

import orjson

from embeddings.google.transport import Received
from jobs.errors import (
    AuthError,
    BadResponse,
    BatchRejected,
    ConfigurationError,
    InvalidInput,
    JobError,
    QuotaExhausted,
    RateLimited,
    ServerError,
)

#: How much of an error's message, and of a malformed answer, is kept.
MESSAGE_CHARACTERS = 500
SAMPLE_CHARACTERS = 200

#: A wait longer than this, in seconds, is taken for a slip and shortened. One day: no quota runs longer.
LONGEST_WAIT = 86_400.0

_RETRY_IN = re.compile(r"retry in (\d+(?:\.\d+)?)\s*(ms|s)\b", re.IGNORECASE)
_DURATION = re.compile(r"(\d+(?:\.\d+)?)s")
_LIMIT_OF_ZERO = re.compile(r"\blimit: 0(?![\d.])")
_BAD_KEY = re.compile(r"API key (not valid|expired|not found)", re.IGNORECASE)
_KEYS = re.compile(r"AIza[0-9A-Za-z_-]{8,}|(?<=key=)[^&\s\"'<>]+", re.IGNORECASE)


def cleaned(text: str, secret: str = "") -> str:
    """Remove API keys from a text: `secret`, whatever stands behind `key=`, and what looks like a Google key.

    What a database refuses, NUL and lone surrogates, comes out escaped.
    """
    text = text.encode("utf-8", "backslashreplace").decode().replace("\x00", "\\x00")
    if secret:
        text = text.replace(secret, "(key)")
    return _KEYS.sub("(key)", text)


def error_from(received: Received, *, texts: int, secret: str) -> JobError:
    """Classify an answer with an HTTP status other than 200; `texts` is how many the call carried.

    Returns the error, for the caller to raise from the SDK's own.
    """
    status, body = received.status, received.body or ""
    error = _error_object(body)
    if error is None and "<html" in body[:1000].lower():
        return ServerError(f"A page of HTML instead of an answer, with status {status}.", status_code=status)
    error = error or {}
    rpc_status, message = str(error.get("status") or ""), str(error.get("message") or body or "no message")
    said = f"{status} {rpc_status}".strip()
    shown = cleaned(f"The API answered {said}: {message}", secret)[:MESSAGE_CHARACTERS]
    details = _objects(error.get("details"))

    if status == 429:
        return _quota_error(shown, message, details)
    if (
        status in {401, 403}
        or any(detail.get("reason") == "API_KEY_INVALID" for detail in details)
        or (status == 400 and _BAD_KEY.search(message))
    ):
        return AuthError(shown, status_code=status)
    if status == 404 or rpc_status == "FAILED_PRECONDITION":
        return ConfigurationError(shown, status_code=status)
    if status in {400, 413}:
        return (InvalidInput if texts == 1 else BatchRejected)(shown, status_code=status)
    if status in {408, 409, 499} or status >= 500:
        return ServerError(shown, status_code=status, retry_after=_retry_delay(message, details))
    if status < 300:
        return BadResponse(shown, status_code=status, sample=sample(body, secret))
    return ConfigurationError(shown, status_code=status)


def answer_without_sdk(received: Received, error: Exception, *, texts: int, secret: str) -> Any:
    """Read an answer as it came, after the SDK gave up on it with `error`; returns its JSON.

    Raises `BadResponse`, with a sample, when it is no JSON; what `error_from` says, when the answer is an error. When
    there is no answer the SDK refused to make the call: over the texts (`InvalidInput`, `BatchRejected`) when it says
    so with a `ValueError`, else `ConfigurationError`.
    """
    if received.body is None:
        message = f"The SDK refused to make the call: {cleaned(str(error), secret)}"[:MESSAGE_CHARACTERS]
        if isinstance(error, ValueError):
            raise (InvalidInput if texts == 1 else BatchRejected)(message) from error
        raise ConfigurationError(message) from error
    if received.status != 200:
        raise error_from(received, texts=texts, secret=secret) from error
    return answer_of(received, secret=secret)


def answer_of(received: Received, *, secret: str) -> Any:
    """Return the JSON of a good answer. Raises `BadResponse`, with a sample, when it is none."""
    try:
        return orjson.loads(received.content or b"")
    except orjson.JSONDecodeError:
        # Python's own reader is slower, and takes NaN and Infinity besides: one of them spoils one vector, not all.
        body = received.body or ""
        try:
            return json.loads(body)
        except (ValueError, RecursionError) as error:
            message = "The answer is not JSON."
            raise BadResponse(message, status_code=200, sample=sample(body, secret)) from error


def sample(body: str, secret: str) -> str:
    """The beginning of an answer, without keys."""
    return cleaned(body, secret)[:SAMPLE_CHARACTERS]


def _error_object(body: str) -> dict[str, Any] | None:
    """The object `error` of a body; Google sometimes wraps it in a list."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if isinstance(found, list) and len(found) == 1:
        found = found[0]
    error = found.get("error") if isinstance(found, dict) else None
    return error if isinstance(error, dict) else None


def _quota_error(shown: str, message: str, details: Sequence[dict[str, Any]]) -> JobError:
    """Tell a quota that is back in a minute from one that is not.

    A per-day quota, or one of 0 (the model is not open to this key), is exhausted whatever else is exceeded, and its
    RetryInfo means nothing.
    """
    violations = [violation for detail in details for violation in _objects(detail.get("violations"))]
    for violation in violations:
        quota_id = str(violation.get("quotaId") or "")
        if "perday" in quota_id.lower() or str(violation.get("quotaValue")) == "0":
            return QuotaExhausted(shown, status_code=429, quota_id=quota_id or None)
    if not violations and _LIMIT_OF_ZERO.search(message):
        return QuotaExhausted(shown, status_code=429)
    first = next((str(found["quotaId"]) for found in violations if found.get("quotaId")), None)
    return RateLimited(shown, status_code=429, quota_id=first, retry_after=_retry_delay(message, details))


def _objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a JSON list; none when it is something else."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _retry_delay(message: str, details: Sequence[dict[str, Any]]) -> float | None:
    """Seconds that the server asks to wait: from RetryInfo, else from the message, else None."""
    for detail in details:
        found = _DURATION.fullmatch(str(detail.get("retryDelay")))
        if found:
            return min(float(found[1]), LONGEST_WAIT)
    said = _RETRY_IN.search(message)
    if said:
        return min(float(said[1]) / (1000 if said[2].lower() == "ms" else 1), LONGEST_WAIT)
    return None
