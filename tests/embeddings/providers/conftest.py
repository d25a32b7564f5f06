"""Servers that misbehave in ways that the stand-in does not."""

import socket
import threading
from collections.abc import Callable, Generator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest


class _Redirect(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(302)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        pytest.fail("the redirect was followed")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def redirecting() -> Generator[str]:
    """The address of a server that redirects every POST."""
    with HTTPServer(("127.0.0.1", 0), _Redirect) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def _serve(answer: Callable[[socket.socket], None]) -> Generator[str]:
    """Serve one connection with `answer`; yield the address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                answer(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join(10)


@pytest.fixture
def trickling_headers() -> Generator[str]:
    """The address of a server whose headers never end."""
    ended = threading.Event()

    def answer(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
        while not ended.wait(0.05):
            connection.sendall(b"a")

    yield from _serve(answer)
    ended.set()


@pytest.fixture
def not_http() -> Generator[str]:
    """The address of a server that speaks something else."""

    def answer(connection: socket.socket) -> None:
        connection.recv(1024)
        connection.sendall(b"220 mail.example.org ESMTP\r\n")

    yield from _serve(answer)
