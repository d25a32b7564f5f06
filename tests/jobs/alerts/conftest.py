"""Rules made for a test, and a webhook's other end."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from standardwebhooks import Webhook

from jobs.alerts import look, rules
from jobs.alerts.rules import AlertRule, Finding, register_rule

SECRET = "whsec_" + "c2VjcmV0" * 5


@dataclass
class Gauge:
    """A thing that a rule watches: it fires while the value is over 10, and breaks on demand."""

    value: float = 0.0
    error: Exception | None = None
    checks: int = 0

    def check(self, threshold: float) -> Finding:
        """Look at it."""
        self.checks += 1
        if self.error is not None:
            raise self.error
        return Finding(self.value > 10, self.value, f"The gauge shows {self.value:g}.")


@pytest.fixture(autouse=True)
def _channels_off(settings: Any) -> None:
    """Whatever the environment says, a test switches on what it is about."""
    settings.ALERT_EMAIL, settings.ALERT_WEBHOOK_URL, settings.ALERT_WEBHOOK_SECRET = [], "", ""
    settings.PUBLIC_URL = ""


@pytest.fixture(autouse=True)
def _nothing_broke_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(look, "_broken", set())


@pytest.fixture
def make_gauge(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Gauge]:
    """Replace all rules by gauges of one's own."""
    monkeypatch.setattr(rules, "_rules", {})

    def make(name: str = "pressure", **options: Any) -> Gauge:
        gauge = Gauge()
        defaults = {"title": f"The {name} is high", "next_step": "Open the valve."}
        register_rule(AlertRule(name=name, check=gauge.check, **{**defaults, **options}))
        return gauge

    return make


@pytest.fixture
def gauge(make_gauge: Callable[..., Gauge]) -> Gauge:
    """The only rule there is."""
    return make_gauge()


@dataclass
class Receiver:
    """A webhook's other end, which answers as it is told."""

    url: str
    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    requests: list[tuple[Message, bytes]] = field(default_factory=list)
    #: Set to let a request that was told to hang go on.
    go_on: threading.Event = field(default_factory=threading.Event)

    def answer(self, status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> None:
        """Answer the next request like this; without any, requests are answered with 204."""
        self.answers.append((status, headers or {}, body))

    def verified(self, index: int = -1) -> dict[str, Any]:
        """Return what a request told, after its signature was verified by the library."""
        headers, body = self.requests[index]
        told: dict[str, Any] = Webhook(SECRET).verify(body, dict(headers))
        assert told == json.loads(body)
        return told


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    """A real server on this machine, switched on as the webhook."""

    made = Receiver("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            made.requests.append((self.headers, body))
            status, headers, answer = made.answers.pop(0) if made.answers else (204, {}, b"")
            if status == 0:
                made.go_on.wait(20)
                return
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        made.url = f"http://127.0.0.1:{server.server_port}/hooks/T0P-SECRET-PATH"
        settings.ALERT_WEBHOOK_URL, settings.ALERT_WEBHOOK_SECRET = made.url, SECRET
        yield made
        made.go_on.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def mail(settings: Any) -> None:
    """Switch email on; pytest-django has it end in `django.core.mail.outbox`."""
    settings.ALERT_EMAIL = ["on-call@example.mn", "boss@example.mn"]
