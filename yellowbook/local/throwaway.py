"""Servers for the length of a test run or of one command, with everything of theirs removed afterwards."""

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from yellowbook.local.lock import is_held
from yellowbook.local.servers import EmbeddedServers, remove_leftovers

PREFIX = "yellowbook-throwaway-"
#: A directory that nobody holds is left alone for so many seconds: its owner may be about to take it.
FRESH = 600.0


@contextlib.contextmanager
def throwaway_servers(
    database_url: str = "", redis_url: str = "", *, durable: bool = False
) -> Iterator[EmbeddedServers]:
    """Run servers in a temporary `VAR_DIR`; only with `durable` with the writes to disk that make data durable."""
    _sweep()
    var_dir = Path(tempfile.mkdtemp(prefix=PREFIX))
    # Lets the unprivileged user of the servers through to its own directory; what is private here is so by itself.
    var_dir.chmod(0o711)
    try:
        with EmbeddedServers(var_dir, database_url=database_url, redis_url=redis_url, durable=durable) as servers:
            yield servers
    finally:
        shutil.rmtree(var_dir, ignore_errors=True)


def _sweep() -> None:
    """Remove the directories of earlier ones that were killed."""
    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            found = left.lstat()
            if found.st_uid == os.geteuid() and time.time() - found.st_mtime > FRESH and not is_held(left):
                remove_leftovers(left)
                shutil.rmtree(left)
