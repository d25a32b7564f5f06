"""A site on loopback that can misbehave, and fetchers that may go there."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from yellowbook.catalogue.fetch.client import Fetcher
from yellowbook.catalogue.fetch.limits import Limits

#: Answers one request by writing to the handler.
Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Site:
    """A server on loopback: answers by path, and what it was asked."""

    url: str = ""
    port: int = 0
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    #: Set when the test is over, for answers that go on for as long as somebody reads.
    over: threading.Event = field(default_factory=threading.Event)

    def serve(
        self, path: str, body: bytes = b"", *, status: int = 200, content_type: str = "text/html", **headers: str
    ) -> None:
        """Answer `path` with a body; underscores in header names stand for hyphens."""

        def answer(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(status)
            handler.send_header("Content-Type", content_type)
            if status != 304:
                handler.send_header("Content-Length", str(len(body)))
            for name, value in headers.items():
                handler.send_header(name.replace("_", "-"), value)
            handler.end_headers()
            if status != 304:
                handler.wfile.write(body)

        self.answers[path] = answer

    def redirect(self, path: str, location: str, status: int = 302) -> None:
        """Send whoever asks for `path` elsewhere."""
        self.serve(path, status=status, Location=location)

    def paths(self) -> list[str]:
        """Return the paths asked for, in order."""
        return [path for path, _ in self.asked]


@pytest.fixture
def site() -> Iterator[Site]:
    """Serve on a free port of 127.0.0.1."""
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            site.asked.append((self.path, dict(self.headers.items())))
            answer = site.answers.get(self.path)
            try:
                if answer is None:
                    self.send_response(404)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                else:
                    answer(self)
            except OSError:
                # Whoever asked has gone.
                self.close_connection = True

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            pass

    with Server(("127.0.0.1", 0), Handler) as server:
        site.port = server.server_port
        site.url = f"http://127.0.0.1:{site.port}"
        thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01))
        thread.start()
        yield site
        site.over.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def fetcher() -> Iterator[Fetcher]:
    """Go to loopback too, with patience for a slow machine and none for bodies over 2 MiB."""
    with Fetcher(limits=Limits(seconds=10.0, max_bytes=2 * 1024 * 1024), allow_private=True) as fetcher:
        yield fetcher
