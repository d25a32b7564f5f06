"""Removes what the project keeps under a `VAR_DIR`, and the servers' data that had to go elsewhere."""

import contextlib
import shutil
import time
from pathlib import Path

from yellowbook.local.account import DATA_DIRECTORY, ELSEWHERE_PREFIX, REMEMBERED
from yellowbook.local.discovery import SERVERS_FILE
from yellowbook.local.errors import LocalError
from yellowbook.local.lock import LOCK_FILE, VarDirLock
from yellowbook.local.servers import LOG_DIRECTORY, RUN_FILE, remove_leftovers

#: Everything that is ever made there; a `VAR_DIR` may hold other things of the user's.
KEPT = (
    DATA_DIRECTORY,
    LOG_DIRECTORY,
    "static",
    "credentials.json",
    "secret-key",
    RUN_FILE,
    SERVERS_FILE,
    REMEMBERED,
    LOCK_FILE,
)
#: Seconds that a server of a killed supervisor has to be gone.
PATIENCE = 15.0


def wipe(var_dir: Path) -> None:
    """Remove data, credentials and logs; raise `LocalError` while somebody runs there."""
    if not var_dir.is_dir():
        return
    lock = VarDirLock(var_dir)
    lock.acquire()
    try:
        remove_leftovers(var_dir)
        remembered = var_dir / REMEMBERED
        if remembered.exists():
            elsewhere = Path(remembered.read_text(encoding="utf-8"))
            if elsewhere.name.startswith(ELSEWHERE_PREFIX):
                _remove(elsewhere)
        for name in KEPT:
            _remove(var_dir / name)
        # Other things of the user's may be in it.
        with contextlib.suppress(OSError):
            var_dir.rmdir()
    finally:
        lock.release()


def _remove(path: Path) -> None:
    """Remove a file or a directory, in which a server that lost its supervisor may still be putting things away."""
    until = time.monotonic() + PATIENCE
    while path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
        if time.monotonic() > until:
            raise LocalError(f"{path} could not be removed.")
    path.unlink(missing_ok=True)
