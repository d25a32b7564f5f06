"""HTTP with an outer deadline, for SDKs that have none.

The SDKs' timeouts are per read: a server that sends one byte a second keeps a call alive for ever. `Wire` bounds the
whole exchange, from connecting to the last byte of the answer, without a thread: it sits below both SDKs, in the place
of their own transports, and gives every single socket operation no more time than the call has left.
"""

import ssl
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from socket import SOCK_STREAM, getaddrinfo
from time import monotonic
from typing import Any

import httpcore2
import httpx2

from jobs.errors import NetworkError

#: Connections kept open to the one server there is; more than threads in a worker.
MAX_CONNECTIONS = 100
#: An idle connection is kept this long, in seconds, so that batches in a row share one.
KEEPALIVE = 60.0
#: A request is written in pieces of this many bytes, so that a server that reads slowly meets the deadline too.
_PIECE = 16 * 1024


class Received(threading.local):
    """The last answer that this thread got; `content` and `body` are None when the last call brought none."""

    answer: httpx2.Response | None = None

    @property
    def status(self) -> int:
        """Its HTTP status; 0 for none."""
        return self.answer.status_code if self.answer is not None else 0

    @property
    def content(self) -> bytes | None:
        """What it says, as it came."""
        return self.answer.content if self.answer is not None else None

    @property
    def body(self) -> str | None:
        """What it says, as text."""
        return self.answer.text if self.answer is not None else None


class Wire(httpx2.BaseTransport):
    """A pool of connections; one request is one HTTP exchange, redirects and errors included. Safe for threads.

    Takes nothing from the environment: no proxies, no credentials. Certificates are checked with `ssl_context`. Without
    `passes_on`, what a good answer says is in `received` alone.
    """

    def __init__(self, *, timeout: float, ssl_context: ssl.SSLContext, passes_on: bool = True) -> None:
        self.received = Received()
        self._timeout = timeout
        self._passes_on = passes_on
        self._clock = _Clock()
        self._pool = httpcore2.ConnectionPool(
            ssl_context=ssl_context,
            max_connections=MAX_CONNECTIONS,
            keepalive_expiry=KEEPALIVE,
            network_backend=_Backend(self._clock),
        )

    @contextmanager
    def exchange(self) -> Iterator[Received]:
        """Yield what this thread receives inside. Nothing of it is kept: a megabyte for each thread of a worker."""
        self.received.answer = None
        try:
            yield self.received
        finally:
            self.received.answer = None

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request and read the whole answer within `timeout` seconds.

        Raises `NetworkError` when that did not work out: refused, reset, cut short, not HTTP, too slow.
        """
        self.received.answer = None
        self._clock.until = monotonic() + self._timeout
        try:
            answer = self._pool.request(
                request.method,
                str(request.url),
                headers=request.headers.raw,
                content=request.read(),
                extensions={"timeout": dict.fromkeys(("connect", "read", "write", "pool"), self._timeout)},
            )
            response = httpx2.Response(
                answer.status, headers=answer.headers, content=answer.content, extensions=answer.extensions
            )
        except (httpcore2.TimeoutException, TimeoutError) as error:
            raise NetworkError(f"No complete answer within {self._timeout:g} s.") from error
        except (httpcore2.NetworkError, httpcore2.ProtocolError, httpx2.DecodingError, OSError) as error:
            raise NetworkError(f"The connection failed: {str(error) or type(error).__name__}") from error
        self.received.answer = response
        if response.status_code == 200 and not self._passes_on:
            return httpx2.Response(200, content=b"{}")
        return response

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()


class _Clock(threading.local):
    """The moment, on the monotonic clock, by which this thread's call must be done."""

    until = 0.0

    def left(self, timeout: float | None) -> float:
        """Seconds that the next operation may take. Raises `httpcore2.ReadTimeout` when there are none."""
        left = self.until - monotonic()
        if left <= 0:
            raise httpcore2.ReadTimeout("The call as a whole took too long.")
        return left if timeout is None else min(left, timeout)


class _Stream(httpcore2.NetworkStream):
    """A connection whose every operation ends at the deadline."""

    def __init__(self, stream: httpcore2.NetworkStream, clock: _Clock) -> None:
        self._stream = stream
        self._clock = clock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._clock.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), _PIECE):
            self._stream.write(buffer[start : start + _PIECE], self._clock.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, self._clock.left(timeout)), self._clock)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Backend(httpcore2.NetworkBackend):
    """Opens connections, trying a host's addresses in turn with an equal share of the time each."""

    def __init__(self, clock: _Clock) -> None:
        self._clock = clock
        self._sync = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        try:
            addresses = [str(found[4][0]) for found in getaddrinfo(host, port, type=SOCK_STREAM)]
        except (OSError, UnicodeError) as error:
            raise httpcore2.ConnectError(f"{host} was not found: {error}") from error
        for untried in range(len(addresses), 0, -1):
            try:
                stream = self._sync.connect_tcp(
                    addresses[-untried], port, self._clock.left(timeout) / untried, local_address, socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                if untried == 1:
                    raise
            else:
                return _Stream(stream, self._clock)
        raise httpcore2.ConnectError(f"{host} has no address.")
