"""Fetches one address: checked, bounded, redirects followed by hand, conditional when an older version is known."""

import ssl
from collections.abc import Callable, Mapping
from dataclasses import replace
from time import monotonic
from types import TracebackType
from typing import Final, Self

import httpcore2
import httpx2

from yellowbook.catalogue.fetch.addresses import Resolver, checked_url, system_resolver
from yellowbook.catalogue.fetch.answers import Fetched, read_answer
from yellowbook.catalogue.fetch.body import ACCEPT_ENCODING
from yellowbook.catalogue.fetch.errors import TooManyRedirects, TooSlow, Unreachable, Unreadable
from yellowbook.catalogue.fetch.limits import Limits
from yellowbook.catalogue.fetch.wire import Backend, Clock

#: The name by which robots.txt addresses us (RFC 9309, "product token").
PRODUCT: Final = "YellowBookBot"

_ACCEPT: Final = (
    "text/html,application/xhtml+xml,application/ld+json,application/geo+json,application/json,text/csv,"
    "application/xml;q=0.9,text/xml;q=0.9,*/*;q=0.5"
)


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
                return replace(answer, redirects=tuple(asked))
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
                return read_answer(response, str(target), limits, clip=clip)
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
