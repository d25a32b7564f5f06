"""The network under a fetch: connects to checked addresses only, and no operation outlives the fetch's deadline.

A name is looked up once per connection and the connection goes to an address of that very answer, so there is no moment
between check and use in which the DNS could change its mind. The name itself stays in the Host header, in TLS's SNI and
in the check of the certificate: those are httpcore2's and see the URL.
"""

import threading
from collections.abc import Iterable
from time import monotonic
from typing import Any

import httpcore2

from yellowbook.catalogue.fetch.addresses import Resolver, checked_addresses
from yellowbook.catalogue.fetch.errors import TooSlow


class Clock(threading.local):
    """The moment, on the monotonic clock, by which this thread's fetch must be done."""

    until = 0.0

    def start(self, seconds: float) -> None:
        """Give the fetch that begins now so many seconds."""
        self.until = monotonic() + seconds

    def left(self, timeout: float | None = None) -> float:
        """Seconds that the next operation may take. Raises `TooSlow` when there are none."""
        left = self.until - monotonic()
        if left <= 0:
            raise TooSlow("The answer was not complete in the time it is given.")
        return left if timeout is None else min(left, timeout)


class Stream(httpcore2.NetworkStream):
    """A connection whose every operation ends at the deadline."""

    def __init__(self, stream: httpcore2.NetworkStream, clock: Clock) -> None:
        self._stream = stream
        self._clock = clock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what is there."""
        return self._stream.read(max_bytes, self._clock.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write everything; requests are short, so this is one operation."""
        self._stream.write(buffer, self._clock.left(timeout))

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        """Shake hands as the name in the URL."""
        return Stream(self._stream.start_tls(ssl_context, server_hostname, self._clock.left(timeout)), self._clock)

    def get_extra_info(self, info: str) -> Any:
        """Return what the connection knows."""
        return self._stream.get_extra_info(info)


class Backend(httpcore2.NetworkBackend):
    """Opens connections to checked addresses, trying a host's in turn with an equal share of the time each."""

    def __init__(
        self, clock: Clock, *, resolver: Resolver, allow_private: bool, network: httpcore2.NetworkBackend
    ) -> None:
        self._clock = clock
        self._resolver = resolver
        self._allow_private = allow_private
        self._network = network

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """Connect; raises what `checked_addresses` does, and httpcore2's own errors for the last address tried."""
        addresses = checked_addresses(
            host,
            port,
            resolver=self._resolver,
            allow_private=self._allow_private,
            timeout=self._clock.left(timeout),
        )
        for untried in range(len(addresses), 0, -1):
            try:
                stream = self._network.connect_tcp(
                    addresses[-untried], port, self._clock.left(timeout) / untried, local_address, socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                if untried == 1:
                    raise
            else:
                return Stream(stream, self._clock)
        raise httpcore2.ConnectError(f"{host} has no address.")
