"""A network that leads to the test's own site wherever one wants to go, and notes where that was."""

from collections.abc import Iterable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler

import httpcore2

from tests.yellowbook.catalogue.conftest import Answer, Site
from yellowbook.catalogue.fetch.client import Fetcher


class ToLoopback(httpcore2.NetworkBackend):
    """Connects to a port of 127.0.0.1 instead, unless the address is dead."""

    def __init__(self, port: int, dead: Iterable[str] = ()) -> None:
        self.connected: list[str] = []
        self._port = port
        self._dead = set(dead)
        self._network = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        self.connected.append(host)
        if host in self._dead:
            raise httpcore2.ConnectError("dead")
        return self._network.connect_tcp("127.0.0.1", self._port, timeout)


def public(site: Site, names: Mapping[str, Sequence[str]], asked: list[str]) -> Fetcher:
    """Return a fetcher that keeps to all rules, to which `site` is every public host; notes the names looked up."""

    def resolver(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return names[host]

    return Fetcher(resolver=resolver, network=ToLoopback(site.port))


def closing(answer: Answer) -> Answer:
    """Have the connection closed after an answer, so that the next one needs a new connection."""

    def closed(handler: BaseHTTPRequestHandler) -> None:
        answer(handler)
        handler.close_connection = True

    return closed
