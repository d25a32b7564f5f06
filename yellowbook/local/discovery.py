"""Finds the embedded servers that run beside this checkout, if any.

`yellowbook.local` starts PostgreSQL and Valkey and writes where they listen to `VAR_DIR/servers.json` before anything
uses them; any process started later beside them finds them here. Used by `yellowbook.settings`, so it imports nothing
of Django.
"""

import json
from dataclasses import dataclass
from pathlib import Path

#: File under `VAR_DIR` with the addresses of the running embedded servers (mode 0600).
SERVERS_FILE = "servers.json"

#: Stands in the address while nothing runs, so that the connection error itself says what to do.
NOT_RUNNING = "no-servers-here--run-make-run-first-or-set-DATABASE_URL-and-REDIS_URL"


@dataclass(frozen=True)
class Servers:
    """Where the servers listen: libpq and redis-py URLs over unix sockets."""

    database_url: str
    redis_url: str


def find_servers(var_dir: Path) -> Servers:
    """Return the addresses of the embedded servers under `var_dir`, or ones whose failure says that none run."""
    try:
        found = json.loads((var_dir / SERVERS_FILE).read_text(encoding="utf-8"))
        return Servers(database_url=found["database_url"], redis_url=found["redis_url"])
    except (OSError, ValueError, KeyError, TypeError):
        return Servers(
            database_url=f"postgresql://yellowbook@/yellowbook?host=/{NOT_RUNNING}",
            redis_url=f"unix:///{NOT_RUNNING}",
        )
