"""One supervisor per `VAR_DIR`, held by a lock that the kernel drops when its holder dies."""

import contextlib
import fcntl
import os
import time
from pathlib import Path

from yellowbook.local.errors import LocalError
from yellowbook.local.process import POLL, Pause

#: File below `VAR_DIR` that is locked; it holds the pid of the last holder and what it is doing.
LOCK_FILE = "lock"
#: What the file says while the holder is on its way out.
STOPPING = "stopping"
#: Seconds to wait for a holder that is stopping.
PATIENCE = 60.0


class VarDirLock:
    """The right to run servers in a `VAR_DIR`."""

    def __init__(self, var_dir: Path) -> None:
        self._path = var_dir / LOCK_FILE
        self._descriptor: int | None = None

    @property
    def held(self) -> bool:
        """Whether it is held by this object."""
        return self._descriptor is not None

    def acquire(self, pause: Pause = time.sleep) -> None:
        """Take the lock, waiting for a holder that is stopping; raise `LocalError` naming one that is not."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            until = time.monotonic() + PATIENCE
            while not _locked(descriptor):
                holder, _, state = os.pread(descriptor, 100, 0).decode().strip().partition(" ")
                if state != STOPPING or time.monotonic() > until:
                    raise LocalError(
                        f"Already running here (pid {holder}): stop that one, or set VAR_DIR to another directory."
                    )
                pause(POLL)
        except BaseException:
            # Ctrl-C too: the lock is let go, and it goes on.
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        self._note("running")

    def stopping(self) -> None:
        """Let the next one know that it is worth waiting."""
        self._note(STOPPING)

    def release(self) -> None:
        """Give the lock back; harmless when it is not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _note(self, state: str) -> None:
        assert self._descriptor is not None
        with contextlib.suppress(OSError):
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, f"{os.getpid()} {state}\n".encode(), 0)


def is_held(var_dir: Path) -> bool:
    """Tell whether a living process holds the lock of a `VAR_DIR`."""
    try:
        descriptor = os.open(var_dir / LOCK_FILE, os.O_RDWR)
    except OSError:
        return False
    try:
        return not _locked(descriptor)
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
