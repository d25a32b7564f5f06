"""Posts to an address that somebody else chose: public web servers only, within ten seconds, no redirects followed."""

import contextlib
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

import httpcore2

from yellowbook.catalogue.fetch.addresses import Resolver, checked_url, system_resolver
from yellowbook.catalogue.fetch.errors import TooSlow, Unreachable
from yellowbook.catalogue.fetch.wire import Backend, Clock
from yellowbook.notifications.channels.base import Said

#: Seconds for everything together, from looking the name up to the last byte of the answer.
OVERALL: Final = 10.0
#: Bytes of an answer that are read.
MOST: Final = 64 * 1024

#: What can happen to a connection.
_BROKEN: Final = (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.ConnectionNotAvailable, OSError)


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    said: Said,
    *,
    allow_private: bool,
    resolver: Resolver = system_resolver,
    network: httpcore2.NetworkBackend | None = None,
) -> float | None:
    """Post `body`, fill in what was `said`, and return the seconds of its `Retry-After`, if it has one.

    Takes nothing from the environment. An answer that breaks off after its status counts as it came. Raises `Refused`
    for an address that we do not go to, `Unreachable`, and `TooSlow`.
    """
    clock = Clock()
    clock.start(OVERALL)
    target = checked_url(url, allow_private=allow_private)
    backend = Backend(clock, resolver=resolver, allow_private=allow_private, network=network or httpcore2.SyncBackend())
    sent = {
        "host": target.netloc.decode("ascii"),
        "user-agent": "yellowbook-notifications",
        "accept-encoding": "identity",
        "content-length": str(len(body)),
        **headers,
    }
    timeout = dict.fromkeys(("connect", "read", "write", "pool"), OVERALL)
    try:
        with (
            httpcore2.ConnectionPool(network_backend=backend) as pool,
            pool.stream(
                "POST", str(target), headers=list(sent.items()), content=body, extensions={"timeout": timeout}
            ) as response,
        ):
            said.status = response.status
            said.answer = _beginning(response).decode(errors="replace")
            return _seconds(response.headers)
    except (TooSlow, httpcore2.TimeoutException) as error:
        raise TooSlow(f"The receiver gave no answer within {OVERALL:g} s.") from error
    except _BROKEN as error:
        raise Unreachable(f"The receiver was not reached: {type(error).__name__}.") from error


def _beginning(response: httpcore2.Response) -> bytes:
    """Return the answer as far as it is read; its status counts, so nothing that happens to the rest does."""
    answer = bytearray()
    with contextlib.suppress(TooSlow, httpcore2.TimeoutException, *_BROKEN):
        for piece in response.iter_stream():
            answer += piece
            if len(answer) >= MOST:
                break
    return bytes(answer[:MOST])


def _seconds(headers: list[tuple[bytes, bytes]]) -> float | None:
    """Read a `Retry-After`: seconds, or a date. None for neither, or for one that has passed."""
    told = next((value.decode("latin-1") for name, value in headers if name.lower() == b"retry-after"), "")
    seconds = 0.0
    if told.isascii() and told.isdigit() and len(told) < 20:
        seconds = float(told)
    else:
        with contextlib.suppress(ValueError, TypeError, OverflowError):
            seconds = (parsedate_to_datetime(told) - datetime.now(UTC)).total_seconds()
    return seconds if seconds > 0 else None
