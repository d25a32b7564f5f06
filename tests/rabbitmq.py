"""A RabbitMQ of the tests' own, on loopback, where Debian's rabbitmq-server or another one is installed."""

import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.flows.waiting import until
from yellowbook.local.account import server_account
from yellowbook.local.process import Child, start

#: Where the script is that runs a node as whoever calls it; the one on the PATH may change the user, and its settings.
_PLACES = ("/usr/lib/rabbitmq/bin/rabbitmq-server", "/opt/rabbitmq/sbin/rabbitmq-server")
_SERVER = next((place for place in _PLACES if os.access(place, os.X_OK)), None)
#: Seconds until it takes connections.
_READY_WITHIN = 90

needs_rabbitmq = pytest.mark.skipif(_SERVER is None or shutil.which("epmd") is None, reason="no RabbitMQ is installed")


class RabbitMQ:
    """One node with its data in a directory, and the mapper of ports (epmd) that Erlang wants beside it."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._account = server_account(home)
        if self._account is not None:
            os.chown(home, self._account.uid, self._account.gid)
        self._port, distribution, mapper = _free_ports(3)
        self.url = f"amqp://guest:guest@127.0.0.1:{self._port}/%2F"
        (home / "plugins").write_text("[].")
        (home / "conf.conf").touch()
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "LC_ALL": "C.UTF-8",
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(mapper),
            "RABBITMQ_NODENAME": f"test{self._port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self._port),
            "RABBITMQ_DIST_PORT": str(distribution),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "RABBITMQ_MNESIA_BASE": str(home / "data"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_LOG_BASE": str(home),
            "RABBITMQ_PID_FILE": str(home / "pid"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "plugins"),
            "RABBITMQ_CONF_ENV_FILE": str(home / "none"),
            "RABBITMQ_CONFIG_FILE": str(home / "conf.conf"),
        }
        self._mapper = self._run("epmd", [shutil.which("epmd"), "-address", "127.0.0.1", "-port", str(mapper)])
        self._node: Child | None = None

    def start(self) -> None:
        """Start the node, with the data that it had, and wait until it takes connections; harmless when it runs."""
        if self._node is None:
            self._node = node = self._run("rabbitmq", [_SERVER])
            until(lambda: self._answers() or node.poll() is not None, "RabbitMQ is ready", within=_READY_WITHIN)
            assert node.poll() is None, node.failure()

    def kill(self) -> None:
        """Kill the node, as a lost machine does."""
        if self._node is not None:
            self._node.stop(grace=0)
            self._node = None

    def freeze(self) -> None:
        """Stop the node where it is."""
        assert self._node is not None
        os.killpg(self._node.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen node go on."""
        assert self._node is not None
        os.killpg(self._node.pid, signal.SIGCONT)

    def close(self) -> None:
        """Kill all that was started here."""
        self.kill()
        self._mapper.stop(grace=0)

    def _run(self, name: str, command: list[str | None]) -> Child:
        told = [each for each in command if each is not None]
        return start(
            name,
            told,
            log=self._home.with_suffix(f".{name}.log"),
            environment=self._environment,
            directory=self._home,
            account=self._account,
        )

    def _answers(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self._port), timeout=1) as tried:
            tried.settimeout(5)
            # Anything but the beginning of AMQP is answered with that.
            tried.sendall(b"HELLO\0\0\0")
            return tried.recv(8).startswith(b"AMQP")
        return False


@contextmanager
def running_rabbitmq() -> Iterator[RabbitMQ]:
    """Run a node in a temporary directory."""
    home = Path(tempfile.mkdtemp(prefix="yellowbook-rabbitmq-"))
    server = RabbitMQ(home)
    try:
        server.start()
        yield server
    finally:
        server.close()
        shutil.rmtree(home, ignore_errors=True)
        for log in home.parent.glob(f"{home.name}.*.log"):
            log.unlink()


def _free_ports(number: int) -> list[int]:
    """Return ports that nobody listens on now."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports
