"""The embedded PostgreSQL: made once, started on a unix socket, with the role, database and extension in place."""

import os
import shutil
import signal
import tempfile
import time
from pathlib import Path

import psycopg
from psycopg import sql

from yellowbook.local.account import Account
from yellowbook.local.binaries import Program
from yellowbook.local.errors import LocalError
from yellowbook.local.predecessor import await_end
from yellowbook.local.process import POLL, Child, Hurried, Pause, never, start

#: Name of the role that owns the database, and of the database.
NAME = "yellowbook"
#: The superuser, used only to set the role and the extension up.
SUPERUSER = "postgres"
#: What the name of a data directory begins with until it is complete.
DRAFT_PREFIX = "postgres.draft-"
#: Part of the socket's name, nothing else: no TCP port is opened.
PORT = 5432
#: Seconds to become ready, with recovery after a crash.
READY_WITHIN = 120.0
#: Seconds to shut down, and again after having been told more firmly.
GRACE = 30.0
#: Below this size of /dev/shm (64 MB in a container by default) a parallel index build would run out of it.
SMALL_SHARED_MEMORY = 512 * 1024 * 1024
#: For a small machine with a few processes of ten connections each. The vectors and documents of 100,000 businesses
#: take some 300 MB: with less than that for buffers, a search takes a quarter longer.
SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "max_connections": "200",
    "shared_buffers": "512MB",
    "effective_cache_size": "1GB",
    "maintenance_work_mem": "256MB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "unix_socket_permissions": "0700",
}
#: Trades safety for speed; only for data that are thrown away.
THROWAWAY_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
}


class Postgres:
    """One PostgreSQL under a data directory; see `yellowbook.local.servers` for who calls what when."""

    name = "PostgreSQL"

    def __init__(
        self, program: Program, home: Path, sockets: Path, log: Path, account: Account | None, *, durable: bool
    ) -> None:
        self._program = program
        self._home = home
        self._data = home / "postgres"
        self._sockets = sockets
        self._log = log
        self._account = account
        self._durable = durable
        self.url = self._url(NAME, NAME)

    def start(self, pause: Pause = time.sleep) -> Child:
        """Start the server, after having made its data directory the first time."""
        if not self._data.exists():
            self._make(pause)
        await_end(self._data / "postmaster.pid", signal.SIGQUIT, pause)
        settings = SETTINGS | ({} if self._durable else THROWAWAY_SETTINGS)
        if _shared_memory() < SMALL_SHARED_MEMORY:
            settings["dynamic_shared_memory_type"] = "mmap"
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command: list[str | Path] = [self._program.path("postgres"), "-D", self._data, "-k", self._sockets, *options]
        return self._run(command, self._data, orphan_signal=signal.SIGINT)

    def wait_ready(self, child: Child, pause: Pause = time.sleep) -> None:
        """Wait until it answers, then make sure of role, database and extension; raise `LocalError` if it ends."""
        until = time.monotonic() + READY_WITHIN
        while True:
            if child.poll() is not None:
                raise LocalError(child.failure())
            try:
                self._set_up()
            except psycopg.OperationalError as error:
                if time.monotonic() > until:
                    raise LocalError(f"PostgreSQL does not answer: {error}") from error
            except psycopg.Error as error:
                raise LocalError(f"PostgreSQL could not be set up: {error}") from error
            else:
                return
            pause(POLL)

    def stop(self, child: Child, hurried: Hurried = never) -> None:
        """Shut down: sessions are cut, and what was committed is kept even if there is no time for more."""
        child.stop(signal.SIGINT, signal.SIGQUIT, grace=GRACE, hurried=hurried)

    def _make(self, pause: Pause) -> None:
        """Run initdb in a draft directory and put it in place whole, so that a kill leaves nothing half made.

        The draft has a new name each time: what is left of a killed initdb may still be busy in the old one.
        """
        for left in self._home.glob(f"{DRAFT_PREFIX}*"):
            shutil.rmtree(left, ignore_errors=True)
        draft = Path(tempfile.mkdtemp(prefix=DRAFT_PREFIX, dir=self._home))
        if self._account is not None:
            os.chown(draft, self._account.uid, self._account.gid)
        options = ["--auth=trust", "--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8"]
        options += [] if self._durable else ["--no-sync"]
        command: list[str | Path] = [self._program.path("initdb"), "-D", draft, "-U", SUPERUSER, *options]
        child = self._run(command, self._home, orphan_signal=signal.SIGKILL)
        try:
            if child.wait(pause) != 0:
                raise LocalError("The database could not be made: " + child.failure())
        finally:
            child.stop(grace=0.0)
        draft.rename(self._data)

    def _run(self, command: list[str | Path], directory: Path, *, orphan_signal: signal.Signals) -> Child:
        return start(
            self.name,
            command,
            log=self._log,
            # Nothing of the caller's PG... variables may change where and how the server runs.
            environment={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            directory=directory,
            account=self._account,
            orphan_signal=orphan_signal,
        )

    def _set_up(self) -> None:
        with self._connect("postgres") as connection:
            if not connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [NAME]).fetchall():
                # CREATEDB is for the databases of tests.
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEDB").format(sql.Identifier(NAME)))
            if not connection.execute("SELECT FROM pg_database WHERE datname = %s", [NAME]).fetchall():
                name = sql.Identifier(NAME)
                connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(name, name))
        for database in (NAME, "template1"):
            with self._connect(database) as connection:
                connection.execute("CREATE EXTENSION IF NOT EXISTS vector")

    def _connect(self, database: str) -> "psycopg.Connection[tuple[object, ...]]":
        return psycopg.connect(self._url(SUPERUSER, database), autocommit=True, connect_timeout=5)

    def _url(self, user: str, database: str) -> str:
        return f"postgresql://{user}@/{database}?host={self._sockets}&port={PORT}"


def _shared_memory() -> int:
    """Return the size of /dev/shm in bytes, 0 where there is none."""
    try:
        found = os.statvfs("/dev/shm")  # noqa: S108 looked at, not written to
    except OSError:
        return 0
    return found.f_frsize * found.f_blocks
