"""Makes sure that a server of a supervisor that was killed is gone before its data are opened again."""

import contextlib
import os
import signal
import sys
import time
from pathlib import Path

from yellowbook.local.errors import LocalError
from yellowbook.local.process import POLL, Pause

#: Seconds that the old server has for its own end, and again after having been told.
PATIENCE = 15.0


def await_end(pid_file: Path, signum: signal.Signals, pause: Pause = time.sleep) -> None:
    """Wait until the server named in a pid file has ended, telling it to with `signum` if it takes long.

    Only a process whose working directory is the pid file's own counts: both servers work in their data directory, and
    the number may have gone to a stranger since. A stranger's pid file is removed, because PostgreSQL would take the
    stranger for a running server. Where there is no /proc to look into, the servers' own checks have to do.
    """
    if sys.platform != "linux":
        return
    try:
        pid = int(pid_file.read_text(encoding="ascii", errors="replace").splitlines()[0])
    except (FileNotFoundError, ValueError, IndexError):
        return
    if not _works_in(pid, pid_file.parent):
        pid_file.unlink(missing_ok=True)
        return
    for told in (False, True):
        if told:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signum)
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if not _works_in(pid, pid_file.parent):
                return
            pause(POLL)
    raise LocalError(f"A server of an earlier run (pid {pid}) still uses {pid_file.parent} and does not end.")


def _works_in(pid: int, directory: Path) -> bool:
    try:
        return Path(f"/proc/{pid}/cwd").samefile(directory)
    except OSError:
        return False
