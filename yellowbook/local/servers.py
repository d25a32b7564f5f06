"""Embedded PostgreSQL and Valkey under a `VAR_DIR`, for as long as somebody holds them."""

import contextlib
import json
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Protocol

from yellowbook.local.account import data_directory, server_account, within_reach
from yellowbook.local.binaries import find_postgres, find_valkey
from yellowbook.local.discovery import SERVERS_FILE
from yellowbook.local.errors import LocalError
from yellowbook.local.files import rotated, write_private_json
from yellowbook.local.lock import VarDirLock
from yellowbook.local.postgres import Postgres
from yellowbook.local.process import Child, Hurried, Pause, never
from yellowbook.local.sockets import make_socket_directory, remove_socket_directory
from yellowbook.local.valkey import Valkey

#: File below `VAR_DIR` that says to scripts how to use a system that is up; written by the supervisor.
RUN_FILE = "run.json"
#: Below `VAR_DIR`: one log per program.
LOG_DIRECTORY = "logs"


class Server(Protocol):
    """What PostgreSQL and Valkey have in common."""

    name: str
    url: str

    def start(self, pause: Pause = ...) -> Child:
        """Start it, without waiting until it is ready."""

    def wait_ready(self, child: Child, pause: Pause = ...) -> None:
        """Wait until it serves."""

    def stop(self, child: Child, hurried: Hurried = ...) -> None:
        """Shut it down and wait for its end."""


class EmbeddedServers:
    """The servers of one `VAR_DIR`; a context manager.

    `database_url` and `redis_url` name servers of the user's own; for each that is given, none is started here. With
    `durable` off the data may be lost in a crash of the machine, which suits tests.
    """

    def __init__(
        self,
        var_dir: Path,
        *,
        database_url: str = "",
        redis_url: str = "",
        durable: bool = True,
        pause: Pause = time.sleep,
    ) -> None:
        self.var_dir = var_dir
        self.database_url = database_url
        self.redis_url = redis_url
        self.children: dict[Server, Child] = {}
        self._durable = durable
        self._pause = pause
        self._lock = VarDirLock(var_dir)
        self._sockets: Path | None = None

    @property
    def logs(self) -> Path:
        """The directory of the logs."""
        return self.var_dir / LOG_DIRECTORY

    def __enter__(self) -> "EmbeddedServers":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def claim(self) -> None:
        """Take the `VAR_DIR`; raise `LocalError` if another process has it."""
        try:
            self.logs.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(self._pause)
        except OSError as error:
            raise LocalError(f"{self.var_dir} can't be written to ({error.strerror}). Set VAR_DIR.") from error

    def start(self) -> None:
        """Start what is needed and wait until it serves; raise `LocalError`, with nothing left running, if it can't."""
        if not self._lock.held:
            self.claim()
        try:
            remove_leftovers(self.var_dir)
            for server in self._prepare():
                self.children[server] = server.start(self._pause)
            for server, child in self.children.items():
                server.wait_ready(child, self._pause)
            write_private_json(self.var_dir / SERVERS_FILE, self._addresses())
        except BaseException:
            self.stop()
            raise

    def restart(self, server: Server) -> Child:
        """Start one again that has ended, without waiting until it is ready."""
        self.children[server] = server.start(self._pause)
        return self.children[server]

    def stopping(self) -> None:
        """Tell scripts that it is over, and another one started on this `VAR_DIR` that it is worth waiting."""
        if self._lock.held:
            (self.var_dir / RUN_FILE).unlink(missing_ok=True)
            self._lock.stopping()

    def stop(self, hurried: Hurried = never) -> None:
        """Stop what was started, Valkey before PostgreSQL, and remove what pointed to it; harmless when repeated."""
        self.stopping()
        for server, child in reversed(self.children.items()):
            server.stop(child, hurried)
        self.children.clear()
        if self._lock.held:
            (self.var_dir / SERVERS_FILE).unlink(missing_ok=True)
        if self._sockets is not None:
            remove_socket_directory(self._sockets)
            self._sockets = None
        self._lock.release()

    def _prepare(self) -> list[Server]:
        """Return the servers to start, none for which there is one of the user's own."""
        if self.database_url and self.redis_url:
            return []
        account = server_account(self.var_dir)
        data = data_directory(self.var_dir, account)
        self._sockets = sockets = make_socket_directory(account)
        # Noted before anything runs, so that nothing is left that can't be found if this process gets killed.
        write_private_json(self.var_dir / SERVERS_FILE, {"sockets": str(sockets)})
        servers: list[Server] = []
        if not self.database_url:
            log = rotated(self.logs / "postgres.log")
            program = within_reach(find_postgres(), data, account)
            postgres = Postgres(program, data, sockets, log, account, durable=self._durable)
            self.database_url = postgres.url
            servers.append(postgres)
        if not self.redis_url:
            log = rotated(self.logs / "valkey.log")
            program = within_reach(find_valkey(), data, account)
            valkey = Valkey(program, data, sockets, log, account, durable=self._durable)
            self.redis_url = valkey.url
            servers.append(valkey)
        return servers

    def _addresses(self) -> dict[str, object]:
        return {
            "database_url": self.database_url,
            "redis_url": self.redis_url,
            "sockets": str(self._sockets or ""),
            "pid": os.getpid(),
        }


def remove_leftovers(var_dir: Path) -> None:
    """Remove what a supervisor that was killed left behind; the caller holds the lock of `var_dir`."""
    servers = var_dir / SERVERS_FILE
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        remove_socket_directory(Path(json.loads(servers.read_text(encoding="utf-8"))["sockets"]))
    servers.unlink(missing_ok=True)
    (var_dir / RUN_FILE).unlink(missing_ok=True)
