"""A command at a terminal: it sees a pty, and its test sees what a person would."""

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping
from types import TracebackType

from tests.flows.waiting import until
from yellowbook.local.options import ROOT

#: Colours, cursor movements and the like.
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


class Terminal:
    """A context manager; the command is killed at its end if it still runs."""

    def __init__(self, environment: Mapping[str, str], *arguments: str, columns: int = 100) -> None:
        self._environment = {**environment, "TERM": "xterm-256color", "COLUMNS": str(columns)}
        self._command = [sys.executable, "manage.py", *arguments]
        self._columns = columns
        self._seen = b""

    def __enter__(self) -> "Terminal":
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, self._columns, 0, 0))
        os.set_blocking(self._master, False)
        self._process = subprocess.Popen(
            self._command,
            env=self._environment,
            cwd=ROOT,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        os.close(self._master)

    @property
    def screen(self) -> str:
        """Everything that was written so far, without colours and movements."""
        try:
            while piece := os.read(self._master, 65536):
                self._seen += piece
        except (BlockingIOError, OSError):  # nothing more for now; EIO when the other end is closed
            pass
        return _CONTROL.sub("", self._seen.decode("utf-8", "replace"))

    def await_text(self, text: str) -> str:
        """Wait until something was written."""
        until(lambda: text in self.screen, f"the terminal shows {text!r}", note=lambda: self.screen[-2000:])
        return self.screen

    def press_ctrl_c(self) -> None:
        """Interrupt the command as the terminal does."""
        self._process.send_signal(signal.SIGINT)

    def type(self, text: str) -> None:
        """Type something."""
        os.write(self._master, text.encode())

    def await_end(self) -> int:
        """Wait for the end of the command; return its exit code."""

        def ended() -> bool:
            _ = self.screen
            return self._process.poll() is not None

        until(ended, "the command ends", note=lambda: self.screen[-2000:])
        return self._process.returncode
