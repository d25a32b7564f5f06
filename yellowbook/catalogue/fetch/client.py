"""Fetches one address: checked, bounded, redirects followed by hand, conditional when an older version is known."""

import contextlib
import ssl
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from time import monotonic
from types import TracebackType
from typing import Final, Self

import httpcore2
import httpx2

from yellowbook.catalogue.fetch.addresses import Resolver, checked_url, system_resolver
from yellowbook.catalogue.fetch.body import ACCEPT_ENCODING, read_body
from yellowbook.catalogue.fetch.errors import (
    Busy,
    Denied,
    Failed,
    Gone,
    TooLarge,
    TooManyRedirects,
    TooSlow,
    Unreachable,
    Unreadable,
)
from yellowbook.catalogue.fetch.limits import Limits
from yellowbook.catalogue.fetch.wire import Backend, Clock

#: The name by which robots.txt addresses us (RFC 9309, "product token").
PRODUCT: Final = "YellowBookBot"
#: A `Retry-After` beyond this many seconds is shortened.
LONGEST_WAIT: Final = 24 * 3600.0

_ACCEPT: Final = (
    "text/html,application/xhtml+xml,application/ld+json,application/geo+json,application/json,text/csv,"
    "application/xml;q=0.9,text/xml;q=0.9,*/*;q=0.5"
)
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


def user_agent(contact: str = "") -> str:
    """Return how we introduce ourselves: what we are, what for, and whom to write to (an address or a page).

    Raises `ValueError` for a contact that is not printable ASCII.
    """
    if not (contact.isascii() and (contact.isprintable())):
        raise ValueError("The contact must be printable ASCII: an email address or a URL.")
    return f"{PRODUCT}/1.0 (business directory; reads schema.org data{'; +' if contact else ''}{contact})"


class Fetcher:
    """Fetches within `limits`, keeping connections for the next fetch. Use as a context manager, one per source.

    `before` is called with every URL just before it is asked for, redirects included: the place for robots.txt and for
    waiting one's turn; what it raises ends the fetch. `allow_private` lifts the rules on addresses and ports, for
    tests and for sellers inside one's own network. `resolver`, `network` and `ssl_context` are there to be replaced.
    Takes nothing from the environment: no proxies, no credentials. Keeps no cookies.
    """

    def __init__(
        self,
        *,
        limits: Limits | None = None,
        allow_private: bool = False,
        contact: str = "",
        before: Callable[[str], None] | None = None,
        resolver: Resolver = system_resolver,
        network: httpcore2.NetworkBackend | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self.allow_private = allow_private
        self.user_agent = user_agent(contact)
        self._before = before
        self._clock = Clock()
        backend = Backend(
            self._clock, resolver=resolver, allow_private=allow_private, network=network or httpcore2.SyncBackend()
        )
        self._pool = httpcore2.ConnectionPool(
            ssl_context=ssl_context, max_connections=10, keepalive_expiry=20.0, network_backend=backend
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()

    def fetch(
        self,
        url: str,
        *,
        etag: str | None = None,
        last_modified: str | None = None,
        clip: bool = False,
        limits: Limits | None = None,
    ) -> Fetched:
        """Return the answer at `url`; with validators, perhaps only that it is `not_modified`.

        `clip` cuts a body off at the limit instead of refusing it. Raises the errors of `fetch.errors`, each with the
        status when there was one, and what `before` raises.
        """
        limits = limits or self.limits
        self._clock.start(limits.seconds)
        target = checked_url(url, allow_private=self.allow_private)
        asked: list[str] = []
        while True:
            self._ask_leave(str(target))
            answer = self._exchange(target, _conditions(etag, last_modified), limits, clip=clip)
            if isinstance(answer, Fetched):
                if answer.not_modified and not (etag or last_modified):
                    raise Unreadable("The site answered 304 to a question that named no version.", status_code=304)
                return _with_redirects(answer, asked)
            asked.append(str(target))
            target = self._followed(target, answer)
            if str(target) in asked:
                raise TooManyRedirects(f"The redirects go round in a circle at {target}")
            if len(asked) > limits.max_redirects:
                raise TooManyRedirects(f"More than {limits.max_redirects} redirects.")

    def _ask_leave(self, url: str) -> None:
        """Call `before`; what it waits is not part of the fetch's own time."""
        if self._before is not None:
            began = monotonic()
            self._before(url)
            self._clock.until += monotonic() - began

    def _followed(self, target: httpx2.URL, location: str) -> httpx2.URL:
        try:
            joined = str(target.join(location))
        except (httpx2.InvalidURL, ValueError) as error:
            raise Unreadable(f"The site redirects to what is no URL: {error}") from error
        return checked_url(joined, allow_private=self.allow_private)

    def _exchange(
        self, target: httpx2.URL, conditions: Mapping[str, str], limits: Limits, *, clip: bool
    ) -> Fetched | str:
        """Ask once; return the answer or, for a redirect, its `Location`."""
        headers = {
            "Host": target.netloc.decode("ascii"),
            "User-Agent": self.user_agent,
            "Accept": _ACCEPT,
            "Accept-Language": "mn, en;q=0.8",
            "Accept-Encoding": ACCEPT_ENCODING,
            **conditions,
        }
        timeout = dict.fromkeys(("connect", "read", "write", "pool"), limits.read_seconds)
        try:
            with self._pool.stream(
                "GET", str(target), headers=list(headers.items()), extensions={"timeout": timeout}
            ) as response:
                return _read(response, str(target), limits, clip=clip)
        except httpcore2.TimeoutException as error:
            raise TooSlow(f"{target.host} gave no sign within {limits.read_seconds:g} s.") from error
        except (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.ConnectionNotAvailable, OSError) as error:
            raise Unreachable(f"The connection to {target.host} failed: {error or type(error).__name__}") from error


def fetch(
    url: str,
    *,
    limits: Limits | None = None,
    allow_private: bool = False,
    etag: str | None = None,
    last_modified: str | None = None,
    contact: str = "",
    resolver: Resolver = system_resolver,
) -> Fetched:
    """Fetch one address on a connection of its own; see `Fetcher`."""
    with Fetcher(limits=limits, allow_private=allow_private, contact=contact, resolver=resolver) as fetcher:
        return fetcher.fetch(url, etag=etag, last_modified=last_modified)


def _conditions(etag: str | None, last_modified: str | None) -> dict[str, str]:
    """Return the headers of a conditional request; a validator that is no header value is left out."""
    named = {"If-None-Match": etag, "If-Modified-Since": last_modified}
    return {name: value for name, value in named.items() if value and value.isascii() and value.isprintable()}


def _read(response: httpcore2.Response, url: str, limits: Limits, *, clip: bool) -> Fetched | str:
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


def _with_redirects(answer: Fetched, asked: list[str]) -> Fetched:
    values = {name: getattr(answer, name) for name in Fetched.__slots__}
    return Fetched(**{**values, "redirects": tuple(asked)})


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
