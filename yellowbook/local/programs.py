"""The command lines of what the supervisor runs, and the environment they get."""

import contextlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from yellowbook.local.errors import LocalError
from yellowbook.local.files import rotated
from yellowbook.local.options import ROOT, Options
from yellowbook.local.port import HOST
from yellowbook.local.process import Child, Pause, start
from yellowbook.local.servers import EmbeddedServers

#: Web processes, and threads in each: a request holds a database connection while it runs.
WEB_PROCESSES, WEB_THREADS = 2, 8
#: Requests that a web process takes on beyond those before it leaves them to the kernel's queue.
WEB_BACKPRESSURE = 64


def web_arguments(
    port: int, processes: int = WEB_PROCESSES, application: str = "yellowbook.wsgi:application"
) -> list[str]:
    """Return Python's arguments for a web server."""
    return [
        *("-m", "granian", "--interface", "wsgi", "--host", HOST, "--port", str(port), "--no-ws"),
        *("--workers", str(processes), "--blocking-threads", str(WEB_THREADS)),
        *("--backpressure", str(WEB_THREADS + WEB_BACKPRESSURE), "--respawn-failed-workers"),
        *("--workers-kill-timeout", "10", "--log-level", "warning", "--no-access-log"),
        application,
    ]


@dataclass(frozen=True)
class Credentials:
    """What a person and a script need to get in."""

    admin_user: str
    admin_password: str
    api_token: str


@dataclass(frozen=True)
class Command:
    """A management command that was started, and the file that it prints to."""

    child: Child
    printed: IO[bytes]

    def finish(self, pause: Pause) -> str:
        """Wait for its end and return what it printed; raise `LocalError` if it fails."""
        if self.child.wait(pause) != 0:
            raise LocalError(self.child.failure())
        self.printed.seek(0)
        return self.printed.read().decode(errors="replace")


class Programs:
    """Starts the project's own programs against the servers that were started or given."""

    def __init__(self, options: Options, servers: EmbeddedServers, pause: Pause = time.sleep) -> None:
        self._options = options
        self._logs = servers.logs
        self._pause = pause
        self._environment = os.environ | {
            "VAR_DIR": str(options.var_dir),
            "DATABASE_URL": servers.database_url,
            "REDIS_URL": servers.redis_url,
        }
        if self._environment.get("DJANGO_ALLOWED_HOSTS", "").strip():
            # So that the supervisor's own questions are answered.
            self._environment["DJANGO_ALLOWED_HOSTS"] += f",{HOST}"
        self._setup_log = rotated(self._logs / "setup.log")
        self._web_log = rotated(self._logs / "web.log")
        self._workers_log = rotated(self._logs / "workers.log")

    def set_up(self) -> Credentials:
        """Bring tables, static files, admin user and sample data up to date; return how to get in."""
        with self._command("collectstatic", "--noinput", "-v0") as static:
            with self._command("migrate", "--noinput", "-v0") as tables:
                tables.finish(self._pause)
            with self._command("bootstrap") as bootstrap:
                answer = bootstrap.finish(self._pause)
            static.finish(self._pause)
        try:
            found = json.loads(answer.strip().splitlines()[-1])
            return Credentials(found["admin_user"], found["admin_password"], found["api_token"])
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise LocalError(f"manage.py bootstrap did not answer as it should: {error!r}") from error

    def web(self, port: int) -> Child:
        """Start the web server."""
        return self._start(
            "The web server",
            self._web_log,
            *web_arguments(port),
        )

    def workers(self) -> Child:
        """Start the worker processes."""
        return self._start(
            "The workers",
            self._workers_log,
            *("manage.py", "rundramatiq", "--processes", str(self._options.workers)),
        )

    @contextlib.contextmanager
    def _command(self, *arguments: str) -> Iterator[Command]:
        """Start a management command, which does not outlast the block."""
        with tempfile.TemporaryFile() as printed:
            name = f"manage.py {arguments[0]}"
            child = self._start(name, self._setup_log, "manage.py", *arguments, stdout=printed.fileno())
            try:
                yield Command(child, printed)
            finally:
                child.stop(grace=0.0)

    def _start(self, name: str, log: Path, *arguments: str, stdout: int | None = None) -> Child:
        # Always `python -m`: a console script fails when the path of the environment is long or has a space in it.
        command = [sys.executable, *arguments]
        return start(name, command, log=log, environment=self._environment, directory=ROOT, stdout=stdout)
