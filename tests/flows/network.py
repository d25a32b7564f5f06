"""A host of its own: a name, a network and processes that nobody shares, on one machine with root's help."""

import contextlib
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import count
from types import TracebackType
from urllib.parse import parse_qs, urlsplit, urlunsplit

import pytest

#: Networks of two addresses each in here; the range is set aside for measurements of networks (RFC 2544).
_NETWORK = "198.18.{}.{}"

_numbers = count(1)


def _can_be_had() -> bool:
    return os.geteuid() == 0 and all(map(shutil.which, ("ip", "unshare"))) and _run("unshare", "--net", "true") == 0


def _run(*command: str) -> int:
    return subprocess.run(command, capture_output=True, check=False).returncode


needs_hosts = pytest.mark.skipif(not _can_be_had(), reason="hosts of their own need root, ip and unshare")


class Host:
    """A context manager. Its only link leads to us, and what it may reach there are `relayed` servers."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._number = next(_numbers)
        self._space = f"yellowbook-{os.getpid()}-{self._number}"
        self._link = f"yb{os.getpid()}.{self._number}"[:15]
        self._ours, self._its = _NETWORK.format(self._number, 1), _NETWORK.format(self._number, 2)
        self._stack = ExitStack()
        self._sockets: list[socket.socket] = []

    def __enter__(self) -> "Host":
        self._ip("netns", "add", self._space)
        self._stack.callback(_run, "ip", "netns", "delete", self._space)
        self._ip("link", "add", self._link, "type", "veth", "peer", "name", "eth0", "netns", self._space)
        self._stack.callback(_run, "ip", "link", "delete", self._link)
        self._ip("address", "add", f"{self._ours}/30", "dev", self._link)
        self._ip("link", "set", self._link, "up")
        for command in (f"address add {self._its}/30 dev eth0", "link set eth0 up", "link set lo up"):
            self._ip("-netns", self._space, *command.split())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each in self._sockets:
            _shut(each)
        self._stack.close()

    @property
    def inside(self) -> Sequence[str]:
        """What runs a command as the first process of the host; when that dies, so does all of the host."""
        return (
            *("ip", "netns", "exec", self._space),
            *("unshare", "--uts", "--ipc", "--pid", "--fork", "--kill-child", "--mount-proc"),
            *("sh", "-c", 'hostname "$0" && exec "$@"', self.name),
        )

    def cut(self) -> None:
        """Cut its link: nothing arrives any more, and nobody is told."""
        self._ip("link", "set", self._link, "down")

    def relayed(self, url: str) -> str:
        """Return the URL by which the host reaches a server of ours, which listens on loopback or a unix socket."""
        parts = urlsplit(url)
        query = parse_qs(parts.query)
        if parts.scheme == "unix":
            return f"redis://{self._relay(parts.path)}/0"
        if "host" in query:
            path = f"{query['host'][0]}/.s.PGSQL.{query.get('port', ['5432'])[0]}"
            return urlunsplit(parts._replace(netloc=f"{parts.username}@{self._relay(path)}", query=""))
        return urlunsplit(parts._replace(netloc=self._relay((str(parts.hostname), parts.port or 80))))

    def _relay(self, target: str | tuple[str, int]) -> str:
        """Listen on our end of the link for the target; return where."""
        listener = socket.create_server((self._ours, 0))
        self._sockets.append(listener)
        threading.Thread(target=self._accept, args=(listener, target), daemon=True).start()
        return f"{self._ours}:{listener.getsockname()[1]}"

    def _accept(self, listener: socket.socket, target: str | tuple[str, int]) -> None:
        """Pass every connection on, until the listener is shut down."""
        with listener, contextlib.suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.socket(socket.AF_UNIX if isinstance(target, str) else socket.AF_INET)
                self._sockets += [near, far]
                with contextlib.suppress(OSError):
                    far.connect(target)
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=_pass_on, args=(source, sink), daemon=True).start()

    def _ip(self, *arguments: str) -> None:
        subprocess.run(("ip", *arguments), check=True, capture_output=True)


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    """Pass bytes on until one end hangs up."""
    with source, contextlib.suppress(OSError):
        while received := source.recv(65_536):
            sink.sendall(received)
    _shut(sink)


def _shut(each: socket.socket) -> None:
    """Wake whoever waits at a socket, who closes it."""
    with contextlib.suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
