"""Owners made for a test, and the other ends of both channels: a web server and a mail server on this machine."""

import socketserver
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from standardwebhooks import Webhook

from yellowbook.notifications import owners
from yellowbook.notifications.owners import Recipient, register_owner

KEY = "c2VsbGVyLXNlY3JldC1vZi0zMi1ieXRlcy1vci1zbw=="
SECRET = f"whsec_{KEY}"
SELLER = "seller:7f0c"
PATH = "/hooks/T0P-SECRET-PATH"


@pytest.fixture
def sellers(monkeypatch: pytest.MonkeyPatch) -> dict[str, Recipient]:
    """How each seller is reached; change it as a seller changes an address."""
    monkeypatch.setattr(owners, "_lookups", {})
    known = {"7f0c": Recipient()}
    register_owner("seller", known.get)
    return known


@dataclass
class Receiver:
    """A webhook's other end, which answers as it is told."""

    url: str = ""
    port: int = 0
    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    requests: list[tuple[Message, bytes]] = field(default_factory=list)
    #: Answers that whoever asked did not read to their end.
    broken_off: int = 0
    #: Set to let a request that was told to hang go on.
    go_on: threading.Event = field(default_factory=threading.Event)

    def answer(self, status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> None:
        """Answer the next request like this, 0 with silence, -1 drop by drop; without any, with 204."""
        self.answers.append((status, headers or {}, body))

    def verified(self, index: int = -1) -> dict[str, Any]:
        """Return what a request told, after its signature was verified by the library."""
        headers, body = self.requests[index]
        told: dict[str, Any] = Webhook(SECRET).verify(body, dict(headers))
        return told


@pytest.fixture
def receiver(settings: Any, sellers: dict[str, Recipient]) -> Iterator[Receiver]:
    """A real server on this machine, which the seller gave as an address, and where we may go."""
    made = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            made.requests.append((self.headers, self.rfile.read(int(self.headers["content-length"]))))
            status, headers, answer = made.answers.pop(0) if made.answers else (204, {}, b"")
            if status == 0:
                made.go_on.wait(20)
                return
            if status == -1:
                while not made.go_on.wait(0.02):
                    self.wfile.write(b"HTTP/1.1 200 OK\r\n" if not answer else b"x-drop: 1\r\n")
                    answer = b"begun"
                return
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                self.wfile.write(answer)
            except OSError:
                # Whoever asked has read enough.
                made.broken_off += 1
                self.close_connection = True

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            pass

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        made.port = server.server_port
        made.url = f"http://127.0.0.1:{made.port}{PATH}"
        settings.CATALOGUE_ALLOW_PRIVATE = True
        sellers["7f0c"] = Recipient(webhook_url=made.url, secret=SECRET)
        yield made
        made.go_on.set()
        server.shutdown()
        thread.join()


@dataclass
class Post:
    """A mail server, which says to each command what it is told to, and keeps what it took."""

    says: dict[str, str] = field(default_factory=dict)
    letters: list[EmailMessage] = field(default_factory=list)
    port: int = 0


class _Smtp(socketserver.StreamRequestHandler):
    """One connection: enough of RFC 5321 for a letter."""

    post: Post

    def handle(self) -> None:
        self._say("220", "hello")
        while line := self.rfile.readline():
            command = line.decode().split()[0].upper() if line.split() else ""
            if command == "DATA" and "DATA" not in self.post.says:
                self._say("354", "go on")
                lines = iter(self.rfile.readline, b".\r\n")
                letter = message_from_bytes(b"".join(lines), policy=policy.default)
                refusal = self.post.says.get("LETTER")
                if not refusal:
                    self.post.letters.append(letter)
                self.wfile.write(f"{refusal or '250 taken'}\r\n".encode())
            elif command == "QUIT":
                self._say("221", "bye")
                return
            else:
                self.wfile.write(f"{self.post.says.get(command, '250 fine')}\r\n".encode())

    def _say(self, code: str, words: str) -> None:
        self.wfile.write(f"{code} {words}\r\n".encode())


class _SmtpServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


@pytest.fixture
def post(settings: Any, sellers: dict[str, Recipient]) -> Iterator[Post]:
    """A real mail server on this machine, by which the seller is written to."""
    made = Post()
    with _SmtpServer(("127.0.0.1", 0), type("Handler", (_Smtp,), {"post": made})) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        made.port = server.server_address[1]
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", made.port
        settings.DEFAULT_FROM_EMAIL = "book@example.mn"
        sellers["7f0c"] = Recipient(email="bold@example.mn")
        yield made
        server.shutdown()
        thread.join()
