"""Children that never outlive their parent, and a stop that touches nothing but them."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from yellowbook.local.account import Account
from yellowbook.local.errors import LocalError

#: Option of prctl(2), from linux/prctl.h: the signal that a process gets when its parent dies.
PR_SET_PDEATHSIG = 1
#: Seconds between two looks at a child that is being waited for.
POLL = 0.05
#: How much of the end of a log is shown with an error, in lines.
LOG_TAIL_LINES = 15

#: Seconds that a program has for its end when the person doesn't want to wait.
HURRIED_GRACE = 1.0

#: Sleeps for so many seconds, or raises when there is a reason not to wait any longer.
Pause = Callable[[float], None]
#: Tells whether a stop is to be a quick one by now.
Hurried = Callable[[], bool]


def never() -> bool:
    """The `Hurried` of those who can wait."""
    return False


def tie_to_parent(parent: int, signum: signal.Signals) -> None:
    """Have the kernel send `signum` to this process when the process `parent` dies; at once if it is dead already.

    The tie belongs to the parent's THREAD that forked, and a change of user undoes it.
    """
    if sys.platform != "linux":
        return
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(signum), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:
        os.kill(os.getpid(), signum)


class Child:
    """One process that was started here, in a session of its own so that the terminal's Ctrl-C does not reach it."""

    def __init__(self, name: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.name = name
        self.log = log
        self.pid = process.pid
        self._process = process

    def poll(self) -> int | None:
        """Return the exit code once it has ended, else None.

        Whatever is left of its process group is killed before its pid is given back to the system, so that no
        stranger can be hit.
        """
        if self._process.returncode is None:
            if os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                return None
            self._signal_group(signal.SIGKILL)
            self._process.wait()
        return self._process.returncode

    def wait(self, pause: Pause = time.sleep) -> int:
        """Wait for its end, as long as it takes, and return the exit code."""
        while (code := self.poll()) is None:
            pause(POLL)
        return code

    def stop(self, *signals: signal.Signals, grace: float, hurried: Hurried = never) -> None:
        """End it: each signal in turn with `grace` seconds to obey, then SIGKILL to its whole group.

        From the moment that `hurried` says so, every signal has `HURRIED_GRACE` seconds only.
        """
        for signum in signals:
            if self.poll() is not None:
                return
            os.kill(self.pid, signum)
            sent = time.monotonic()
            while self.poll() is None and time.monotonic() - sent < (HURRIED_GRACE if hurried() else grace):
                time.sleep(POLL)
        if self.poll() is None:
            self._signal_group(signal.SIGKILL)
            self.wait()

    def failure(self) -> str:
        """Say how it ended, with the end of its log."""
        return f"{self.name} ended with exit code {self.poll()}.\n{log_tail(self.log)}"

    def _signal_group(self, signum: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signum)


def start(
    name: str,
    command: Sequence[str | Path],
    *,
    log: Path,
    environment: Mapping[str, str],
    directory: Path,
    account: Account | None = None,
    orphan_signal: signal.Signals = signal.SIGTERM,
    stdout: int | None = None,
) -> Child:
    """Start a program that gets `orphan_signal` should this process die, with its output added to `log`.

    Must be called from the main thread: the tie is to the calling thread. With an `account` it runs as that user.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("A child is tied to the thread that starts it, which has to be the main thread.")
    parent = os.getpid()
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        process = subprocess.Popen(  # noqa: S603 the command is ours
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=descriptor if stdout is None else stdout,
            stderr=descriptor,
            env=dict(environment),
            cwd=directory,
            start_new_session=True,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            # Called after the change of user, which would have undone the tie.
            preexec_fn=lambda: tie_to_parent(parent, orphan_signal),
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise LocalError(f"{name} could not be started: {error}") from error
    finally:
        os.close(descriptor)
    return Child(name, process, log)


def log_tail(log: Path, lines: int = LOG_TAIL_LINES) -> str:
    """Return the last lines of a log, each indented, and where it lies."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    return "\n".join([*(f"  {line}" for line in text.splitlines()[-lines:]), f"The whole log: {log}"])
