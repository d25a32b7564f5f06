"""The stand-in as an HTTP server: one thread per connection, keep-alive, and faults of the connection itself."""

import os
import re
import socket
import struct
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from time import time
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from embeddings.standin import wire
from embeddings.standin.control import PREFIX, controlled
from embeddings.standin.service import ON_CONNECTION, Outcome, Request, StandIn
from embeddings.standin.wire import ERRORS, Reply

_CALL = re.compile(r"/v1(?:beta)?/models/([^/:]+):(embedContent|batchEmbedContents|generateContent)")
_MODEL = re.compile(r"/v1(?:beta)?/models/([^/:]+)")
#: A larger body is refused, in bytes; Google does so at about this size.
LARGEST_BODY = 20 * 1024 * 1024
#: How often a call that hangs looks whether its caller is still there, in seconds.
PEEK = 0.1


class StandInServer(ThreadingHTTPServer):
    """Serves a `StandIn` at `url`. As a context manager it runs in a thread of this process."""

    daemon_threads = True
    request_queue_size = 1024

    def __init__(self, standin: StandIn, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.standin = standin
        self._open: set[socket.socket] = set()
        #: Connections accepted so far.
        self.connections = 0
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        """Bind, without asking the name service for this host's name as `HTTPServer` does."""
        TCPServer.server_bind(self)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Take a connection."""
        self._open.add(request)
        self.connections += 1
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Let go of a connection."""
        self._open.discard(request)
        super().shutdown_request(request)

    @property
    def url(self) -> str:
        """The address to use as `GEMINI_BASE_URL`."""
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}"

    def __enter__(self) -> "StandInServer":
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.standin.stopping.set()
        self.shutdown()
        self.server_close()
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay calm when a caller goes away in the middle."""


class _Handler(BaseHTTPRequestHandler):
    """Reads requests of one connection and writes their answers."""

    protocol_version = "HTTP/1.1"
    server: StandInServer
    disable_nagle_algorithm = True
    #: An answer of two packets would wait for the first one's acknowledgement.
    wbufsize = -1

    def do_GET(self) -> None:
        """Control requests, and the description of a model."""
        path = urlsplit(self.path).path
        model = _MODEL.fullmatch(path)
        if path.startswith(PREFIX):
            self._control()
        elif model:
            refusal = self.server.standin.keys.refusal(self._key())
            self._send(refusal or wire.model(unquote(model[1])))
        else:
            self._send(ERRORS["404"])

    def do_DELETE(self) -> None:
        """Control requests."""
        self._control()

    def do_POST(self) -> None:
        """Calls of the API, and control requests."""
        path = urlsplit(self.path).path
        if path.startswith(PREFIX):
            self._control()
            return
        began = time()
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if length > LARGEST_BODY:
            self._send(ERRORS["413"])
            return
        call = _CALL.fullmatch(path)
        if call is None:
            self._send(ERRORS["404"])
            return
        standin = self.server.standin
        request = Request(
            method=call[2],
            model=unquote(call[1]),
            key=self._key(),
            deadline=self.headers.get("X-Server-Timeout", ""),
            body=body,
        )
        outcome = standin.outcome(request)
        standin.stopping.wait(max(0.0, began + standin.latency - time()))
        on_connection = outcome.fault if outcome.fault in ON_CONNECTION else None
        standin.log.add(
            began=began,
            method=request.method,
            model=request.model,
            texts=outcome.texts,
            embedded=outcome.embedded,
            key=request.key,
            status=None if on_connection else outcome.reply.status,
            fault=outcome.fault,
        )
        if on_connection:
            self._misbehave(outcome)
        else:
            self._send(outcome.reply)

    def _misbehave(self, outcome: Outcome) -> None:
        """Play a fault of the connection, which does not outlive it."""
        self.close_connection = True
        standin = self.server.standin
        if outcome.fault == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            os.close(self.connection.detach())
        elif outcome.fault == "truncate":
            self._send(outcome.reply, only=len(outcome.reply.body) // 2)
        elif outcome.fault == "trickle":
            self._send(outcome.reply, only=0)
            for byte in outcome.reply.body:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                if standin.stopping.wait(standin.trickle):
                    return
        elif outcome.fault == "timeout":
            while not standin.stopping.wait(PEEK) and not self._caller_is_gone():
                pass

    def _caller_is_gone(self) -> bool:
        """Whether the caller has closed the connection."""
        try:
            return not self.connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False

    def _control(self) -> None:
        """Answer a control request."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        path = parts.path.removeprefix(PREFIX)
        self._send(controlled(self.server.standin, self.command, path, parts.query, body))

    def _key(self) -> str:
        """The caller's API key, from the header or the query."""
        query = parse_qs(urlsplit(self.path).query)
        return self.headers.get("x-goog-api-key") or query.get("key", [""])[0]

    def _send(self, reply: Reply, *, only: int | None = None) -> None:
        """Write an answer, or only the first bytes of its body."""
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(reply.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(reply.body[:only])
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the call log has it all."""
