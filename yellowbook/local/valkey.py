"""The embedded Valkey, which speaks Redis: on a unix socket, with its data in an append-only file."""

import os
import signal
import time
from pathlib import Path

import redis

from yellowbook.local.account import Account
from yellowbook.local.binaries import Program
from yellowbook.local.errors import LocalError
from yellowbook.local.predecessor import await_end
from yellowbook.local.process import POLL, Child, Hurried, Pause, never, start

#: Name of the socket in the sockets' directory.
SOCKET = "valkey.sock"
#: File in the data directory with the server's pid.
PID_FILE = "valkey.pid"
#: Seconds to become ready, reading the append-only file included.
READY_WITHIN = 60.0
#: Seconds to shut down.
GRACE = 15.0


class Valkey:
    """One Valkey under a data directory; see `yellowbook.local.servers` for who calls what when."""

    name = "Valkey"

    def __init__(
        self, program: Program, home: Path, sockets: Path, log: Path, account: Account | None, *, durable: bool
    ) -> None:
        self._program = program
        self._data = home / "valkey"
        self._socket = sockets / SOCKET
        self._log = log
        self._account = account
        self._durable = durable
        self.url = f"unix://{self._socket}"

    def start(self, pause: Pause = time.sleep) -> Child:
        """Start the server, after having made its data directory the first time."""
        if not self._data.exists():
            self._data.mkdir(mode=0o700)
            if self._account is not None:
                os.chown(self._data, self._account.uid, self._account.gid)
        await_end(self._data / PID_FILE, signal.SIGTERM, pause)
        # Its working directory is its data directory, so no path with spaces has to go through its option parser.
        options = {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "pidfile": PID_FILE,
            "appendonly": "yes",
            "appendfsync": "everysec" if self._durable else "no",
            "maxmemory-policy": "noeviction",
            "save": "",
        }
        return start(
            self.name,
            [self._program.path(self._program.names[0])]
            + [part for name, value in options.items() for part in (f"--{name}", value)],
            log=self._log,
            environment={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            directory=self._data,
            account=self._account,
        )

    def wait_ready(self, child: Child, pause: Pause = time.sleep) -> None:
        """Wait until it answers; raise `LocalError` if it ends instead."""
        until = time.monotonic() + READY_WITHIN
        with redis.Redis(unix_socket_path=str(self._socket), socket_timeout=5) as client:
            while True:
                if child.poll() is not None:
                    raise LocalError(child.failure())
                try:
                    client.ping()
                except redis.RedisError as error:
                    if time.monotonic() > until:
                        raise LocalError(f"Valkey does not answer: {error}") from error
                else:
                    return
                pause(POLL)

    def stop(self, child: Child, hurried: Hurried = never) -> None:
        """Shut down, with its file written to disk."""
        child.stop(signal.SIGTERM, grace=GRACE, hurried=hurried)
