"""What an answer of HTTP means: a document, a redirect, or an error."""

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import Final

import httpcore2

from yellowbook.catalogue.fetch.body import read_body
from yellowbook.catalogue.fetch.errors import Busy, Denied, Failed, Gone, TooLarge, Unreadable
from yellowbook.catalogue.fetch.limits import Limits

#: A `Retry-After` beyond this many seconds is shortened.
LONGEST_WAIT: Final = 24 * 3600.0

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A complete answer: 2xx with its body, or 304 without one (`not_modified`)."""

    status: int
    #: Where the answer came from, after redirects.
    url: str
    body: bytes = b""
    #: As the server wrote it, parameters included; empty when it said nothing.
    content_type: str = ""
    #: The `charset` parameter of `content_type`, lower case; None when there is none.
    charset: str | None = None
    #: Validators to hand back next time.
    etag: str | None = None
    last_modified: str | None = None
    not_modified: bool = False
    #: The addresses asked before `url`, in order.
    redirects: tuple[str, ...] = ()
    #: Whether the body was cut off at the limit, as `clip` asked.
    clipped: bool = False
    #: Names in lower case; of several headers of one name the last.
    headers: Mapping[str, str] = field(default_factory=dict)


def read_answer(response: httpcore2.Response, url: str, limits: Limits, *, clip: bool) -> Fetched | str:
    """Return the answer or, for a redirect, its `Location`; raises the error that a status or a body means."""
    headers = _texts(response.headers)
    status = response.status
    if status in _REDIRECTS and "location" in headers:
        return headers["location"]
    if status != 304 and not 200 <= status < 300:
        raise _error(status, headers)
    body, clipped = b"", False
    if status != 304:
        declared = headers.get("content-length", "")
        if not clip and declared.isdigit() and len(declared) < 20 and int(declared) > limits.max_bytes:
            raise TooLarge(f"The body has {int(declared):,} bytes: at most {limits.max_bytes:,} are read.")
        encoding = headers.get("content-encoding", "")
        body, clipped = read_body(response.iter_stream(), encoding, limits, clip=clip)
    content_type = headers.get("content-type", "").strip()
    return Fetched(
        status=status,
        url=url,
        body=body,
        content_type=content_type,
        charset=_charset(content_type),
        etag=headers.get("etag"),
        last_modified=headers.get("last-modified"),
        not_modified=status == 304,
        clipped=clipped,
        headers=headers,
    )


def _texts(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return headers as text: UTF-8 where it is, since `Location` in Mongolian is sent so, else Latin-1."""
    texts = {}
    for name, value in headers:
        try:
            text = value.decode()
        except UnicodeDecodeError:
            text = value.decode("latin-1")
        texts[name.decode("latin-1").lower()] = text
    return texts


def _charset(content_type: str) -> str | None:
    message = Message()
    message["Content-Type"] = content_type.replace("\n", " ").replace("\r", " ")
    found = message.get_param("charset")
    return found.strip().lower()[:40] or None if isinstance(found, str) else None


def _error(status: int, headers: Mapping[str, str]) -> Busy | Denied | Failed | Gone | Unreadable:
    """Return what a status means: 404 and 410 are gone, 408, 425, 429 and 5xx may pass, other 4xx will not."""
    said = f"The site answered {status}."
    wait = _seconds(headers.get("retry-after", ""))
    if status in (404, 410):
        return Gone(said, status_code=status)
    if status == 429:
        return Busy(said, status_code=status, retry_after=wait)
    if status in (408, 425) or status >= 500:
        return Failed(said, status_code=status, retry_after=wait)
    if 400 <= status < 500:
        return Denied(said, status_code=status)
    return Unreadable(f"The site answered {status}, and nothing to go on from there.", status_code=status)


def _seconds(retry_after: str) -> float | None:
    """Read a `Retry-After`: seconds, or a date. None for neither, or for one that has passed."""
    seconds: float | None = None
    if retry_after.isascii() and retry_after.isdigit() and len(retry_after) < 20:
        seconds = float(retry_after)
    else:
        with contextlib.suppress(ValueError, TypeError, OverflowError):
            seconds = (parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds()
    return min(seconds, LONGEST_WAIT) if seconds is not None and seconds > 0 else None
