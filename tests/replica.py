"""A streaming replica of the tests' PostgreSQL, where its programs have pg_basebackup."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import psycopg
import pytest

from tests.flows.waiting import until
from yellowbook.local.account import server_account, within_reach
from yellowbook.local.binaries import find_postgres
from yellowbook.local.postgres import PORT, SUPERUSER
from yellowbook.local.process import start

_PROGRAM = find_postgres()

needs_replica = pytest.mark.skipif(
    not os.access(_PROGRAM.path("pg_basebackup"), os.X_OK), reason="this PostgreSQL has no pg_basebackup"
)


@contextmanager
def running_replica(database_url: str) -> Iterator[str]:
    """Copy the server of a URL whose host is a directory with a socket, follow it; yield the URL of the copy."""
    home = Path(tempfile.mkdtemp(prefix="yellowbook-replica-"))
    home.chmod(0o711)
    account = server_account(home)
    program = within_reach(_PROGRAM, home, account)
    data, log = home / "data", home / "log"
    for directory in (data, home):
        directory.mkdir(mode=0o700, exist_ok=True)
        if account is not None:
            os.chown(directory, account.uid, account.gid)
    parts = urlsplit(database_url)
    (host,) = parse_qs(parts.query)["host"]
    copy = ["pg_basebackup", "-h", host, "-p", str(PORT), "-U", SUPERUSER, "-D", str(data), "-R", "-c", "fast"]
    subprocess.run(
        [str(program.path(copy[0])), *copy[1:]],
        check=True,
        cwd=home,
        user=account.uid if account else None,
        group=account.gid if account else None,
    )
    options = {"listen_addresses": "", "port": str(PORT), "max_connections": "200", "jit": "off"}
    child = start(
        "replica",
        [program.path("postgres"), "-D", data, "-k", home, *(f"--{name}={value}" for name, value in options.items())],
        log=log,
        environment={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
        directory=data,
        account=account,
    )
    url = urlunsplit(parts._replace(query=urlencode({"host": str(home), "port": PORT})))

    def follows() -> bool:
        assert child.poll() is None, child.failure()
        try:
            with psycopg.connect(url) as connection:
                return connection.execute("SELECT pg_is_in_recovery()").fetchone() == (True,)
        except psycopg.OperationalError:
            return False

    try:
        until(follows, "the replica answers")
        yield url
    finally:
        child.stop(signal.SIGINT, grace=10)
        shutil.rmtree(home, ignore_errors=True)
