"""A worker as a flow sees it."""

import contextlib
import os
import signal
from pathlib import Path

import psutil

from tests.flows.waiting import DEADLINE
from yellowbook.local.process import Child


class Worker:
    """One `manage.py rundramatiq`: a master and the process that works."""

    def __init__(self, child: Child) -> None:
        self._child = child
        self._pids: list[int] = []

    @property
    def log(self) -> Path:
        """Where it writes."""
        return self._child.log

    @property
    def pids(self) -> list[int]:
        """The pids of the processes that work; empty before they are there, kept when they are gone.

        Before them, the master has a child that looks whether all is there for them.
        """
        if not any(psutil.pid_exists(pid) for pid in self._pids):
            with contextlib.suppress(psutil.NoSuchProcess):
                self._pids = [child.pid for child in psutil.Process(self._child.pid).children()] or self._pids
        return self._pids

    def leads(self) -> bool:
        """Tell whether it has been elected as the leader at some time."""
        return '"leading"' in self.log.read_text(encoding="utf-8")

    def kill(self) -> None:
        """Kill master and worker process at once, as a lost machine does."""
        if self._child.poll() is None:
            os.killpg(self._child.pid, signal.SIGKILL)
            self._child.wait()

    def stop(self, grace: float = DEADLINE) -> int:
        """Ask it to stop; return its exit code, -9 if it did not within `grace` seconds."""
        self._child.stop(signal.SIGTERM, grace=grace)
        return self._child.wait()

    def failure(self) -> str:
        """Say how it ended, nothing while it runs."""
        return "" if self._child.poll() is None else self._child.failure()
