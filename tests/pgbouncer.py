"""A PgBouncer of the tests' own, in transaction mode, where one is installed."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import psycopg
import pytest

from tests.flows.waiting import until
from yellowbook.local.account import server_account
from yellowbook.local.process import start

_PROGRAM = shutil.which("pgbouncer", path=os.pathsep.join((os.environ["PATH"], "/usr/sbin")))
#: Sessions with PostgreSQL for each database: so few that whoever comes gets another one each time.
SESSIONS = 4
_PORT = 6432

needs_pgbouncer = pytest.mark.skipif(_PROGRAM is None, reason="no PgBouncer is installed")


@contextmanager
def running_pgbouncer(database_url: str) -> Iterator[str]:
    """Run one in front of the server of a URL whose host is a directory with a socket; yield the URL through it."""
    assert _PROGRAM is not None
    home = Path(tempfile.mkdtemp(prefix="yellowbook-pgbouncer-"))
    account = server_account(home)
    log = home.with_suffix(".log")
    parts = urlsplit(database_url)
    (host,), user = parse_qs(parts.query)["host"], parts.username
    port = parse_qs(parts.query).get("port", ["5432"])[0]
    (home / "pgbouncer.ini").write_text(
        f"""
[databases]
* = host={host} port={port} user={user}
[pgbouncer]
listen_addr =
listen_port = {_PORT}
unix_socket_dir = {home}
auth_type = any
pool_mode = transaction
default_pool_size = {SESSIONS}
max_client_conn = 500
"""
    )
    if account is not None:
        os.chown(home, account.uid, account.gid)
    child = start(
        "pgbouncer",
        [_PROGRAM, home / "pgbouncer.ini"],
        log=log,
        environment={"PATH": os.environ["PATH"]},
        directory=home,
        account=account,
    )
    url = urlunsplit(parts._replace(query=urlencode({"host": str(home), "port": _PORT})))

    def answers() -> bool:
        assert child.poll() is None, child.failure()
        with suppress(psycopg.OperationalError), psycopg.connect(url):
            return True
        return False

    try:
        until(answers, "PgBouncer answers")
        yield url
    finally:
        child.stop(grace=0)
        shutil.rmtree(home, ignore_errors=True)
        log.unlink(missing_ok=True)
