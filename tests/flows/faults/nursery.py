"""Forks workers from a process that has loaded their libraries already: a worker takes 5 s of CPU to load them.

What a worker does with the settings, and all of the project, it loads for itself as ever. `python -m
tests.flows.faults.nursery SOCKET` serves; `Nursery` asks it for workers.
"""

import contextlib
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.flows.waiting import until
from yellowbook.local.options import ROOT
from yellowbook.local.process import Child, start, tie_to_parent

#: What workers load that reads no settings.
LIBRARIES = (
    *("django.core.management", "django.db.models", "django.forms", "django.template", "dramatiq.brokers.redis"),
    *("google.genai", "httpcore2", "httpx2", "numpy", "orjson", "pgvector", "psutil", "psycopg", "psycopg_pool"),
    *("redis", "structlog"),
)
#: Seconds between two looks whether a worker has ended.
LOOK = 0.05
#: Seconds for one answer; the loading of the libraries comes before the first.
ANSWER_WITHIN = 60.0


class Fostered(Child):
    """A worker whose parent is the nursery."""

    def __init__(self, nursery: "Nursery", name: str, pid: int, log: Path) -> None:
        self.name = name
        self.pid = pid
        self.log = log
        self._nursery = nursery
        self._code: int | None = None

    def poll(self) -> int | None:
        """Return the exit code once it has ended, else None."""
        if self._code is None:
            self._code = self._nursery.ask(poll=self.pid)
        return self._code


class Nursery:
    """A context manager: the process that forks."""

    def __init__(self, environment: Mapping[str, str], directory: Path) -> None:
        self._environment = environment
        self._directory = directory
        self._socket = directory / "nursery"

    def __enter__(self) -> "Nursery":
        self._child = start(
            "The nursery",
            [sys.executable, "-m", __name__, self._socket],
            log=self._directory / "nursery.log",
            environment=self._environment,
            directory=ROOT,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._child.stop(grace=0)

    def fork(self, name: str, arguments: Sequence[str], *, log: Path, environment: Mapping[str, str]) -> Child:
        """Start a master of dramatiq with some arguments, and its output added to `log`."""
        pid = self.ask(arguments=list(arguments), log=str(log), environment=dict(environment))
        return Fostered(self, name, pid, log)

    def ask(self, **question: Any) -> Any:
        """Ask one question and return the answer."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(ANSWER_WITHIN)
            until(lambda: self._reached(connection), "the nursery answers", note=self._child.failure)
            connection.sendall(json.dumps(question).encode() + b"\n")
            with connection.makefile() as answer:
                return json.loads(answer.readline())

    def _reached(self, connection: socket.socket) -> bool:
        try:
            connection.connect(str(self._socket))
        except OSError:
            return False
        return True


def serve(path: str) -> None:
    """Answer questions for ever."""
    for library in LIBRARIES:
        __import__(library)
    ended: dict[int, int] = {}
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen(64)
        server.settimeout(LOOK)
        while True:
            _bury(ended)
            with contextlib.suppress(TimeoutError):
                connection, _ = server.accept()
                with connection, connection.makefile("rw") as channel:
                    question = json.loads(channel.readline())
                    if "poll" in question:
                        _bury(ended)
                        answer = ended.get(question["poll"])
                    else:
                        answer = _fork(server, connection, **question)
                    channel.write(json.dumps(answer) + "\n")


def _bury(ended: dict[int, int]) -> None:
    """Note the exit codes of those that have ended, with nothing left of their groups."""
    with contextlib.suppress(ChildProcessError):
        while found := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(found.si_pid, signal.SIGKILL)
            _, status = os.waitpid(found.si_pid, 0)
            ended[found.si_pid] = os.waitstatus_to_exitcode(status)


def _fork(
    server: socket.socket, connection: socket.socket, arguments: list[str], log: str, environment: dict[str, str]
) -> int:
    """Fork a worker and return its pid."""
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        for inherited in (server, connection):
            os.close(inherited.fileno())
        os.setsid()
        tie_to_parent(parent, signal.SIGKILL)
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
        os.close(descriptor)
        os.environ.clear()
        os.environ.update(environment)
        time.tzset()
        sys.argv = ["dramatiq", *arguments]
        from dramatiq.cli import main

        code = main() or 0
    finally:
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    serve(sys.argv[1])
