"""An owner, and the other ends of both channels: a mail server, and a push service that reads what it is sent."""

import json
import threading
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.contrib.auth.models import User
from py_vapid import Vapid02

from tests.yellowbook.notifications.conftest import post, sellers  # noqa: F401 fixtures
from yellowbook.reminders.models import PushSubscription

#: A private key of ours, and whom push services may write to.
VAPID_KEY = "3KzvKasA2SoCxsp0iIG_o9B0Ozvl1XDwI63JRKNIWBM"
SUBJECT = "mailto:admin@example.mn"


def base64(data: bytes) -> str:
    """Return base64url without padding."""
    return urlsafe_b64encode(data).decode().rstrip("=")


def _decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Browser:
    """A browser's keys (RFC 8291)."""

    private: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    secret: bytes = b"sixteen bytes ok"

    @property
    def keys(self) -> dict[str, str]:
        """What it gives away when it subscribes."""
        point = self.private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return {"p256dh": base64(point), "auth": base64(self.secret)}

    def read(self, body: bytes) -> dict[str, Any]:
        """Decrypt a message as the browser does."""
        text = http_ece.decrypt(body, private_key=self.private, auth_secret=self.secret, version="aes128gcm")
        told: dict[str, Any] = json.loads(text)
        return told


@dataclass
class PushService:
    """A push service on this machine: takes what is signed, and answers by path as it is told to, 0 being silence."""

    url: str = ""
    answers: dict[str, list[int]] = field(default_factory=dict)
    taken: list[tuple[str, Message, bytes]] = field(default_factory=list)
    #: Requests that are held without an answer, and what lets them go.
    held: list[str] = field(default_factory=list)
    go_on: threading.Event = field(default_factory=threading.Event)

    def endpoint(self, name: str) -> str:
        """Return the address of a browser."""
        return f"{self.url}/{name}"

    def check(self, headers: Message) -> None:
        """Fail for a signature (RFC 8292) that is not ours, or for another service."""
        scheme, _, rest = headers["authorization"].partition(" ")
        given = dict(part.strip().split("=", 1) for part in rest.split(","))
        assert scheme == "vapid"
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), _decoded(given["k"]))
        assert given["k"] == base64(
            Vapid02.from_raw(VAPID_KEY.encode()).public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        )
        assert Vapid02.verify(headers["authorization"])
        claims = json.loads(_decoded(given["t"].split(".")[1]))
        assert (claims["aud"], claims["sub"]) == (self.url, SUBJECT)
        assert key is not None
        assert headers["ttl"]
        assert headers["content-encoding"] == "aes128gcm"


@pytest.fixture
def push_service(settings: Any) -> Iterator[PushService]:
    """A real server, where we may go."""
    made = PushService()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            name = self.path.strip("/")
            status = made.answers[name].pop(0) if made.answers.get(name) else 201
            if status == 0:
                made.held.append(name)
                made.go_on.wait(60)
                return
            try:
                made.check(self.headers)
            except AssertionError:
                status = 403
            if status == 201:
                made.taken.append((name, self.headers, body))
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        made.url = f"http://127.0.0.1:{server.server_port}"
        settings.CATALOGUE_ALLOW_PRIVATE = True
        settings.REMINDERS_VAPID_PRIVATE_KEY, settings.REMINDERS_VAPID_SUBJECT = VAPID_KEY, SUBJECT
        yield made
        made.go_on.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def owner(db: None) -> User:
    """Somebody who wants to be reminded."""
    return User.objects.create_user("сараа", email="saraa@example.mn")


def subscribed(owner: User, push_service: PushService, name: str) -> Browser:
    """Register a browser of the owner."""
    browser = Browser()
    PushSubscription.objects.create(owner=owner, endpoint=push_service.endpoint(name), **browser.keys)
    return browser
