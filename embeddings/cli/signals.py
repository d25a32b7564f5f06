"""Ctrl-C as something to look for."""

import os
import select
import signal
from types import FrameType, TracebackType
from typing import Any, Final

#: Ctrl-C, a service manager's stop, and the end of the terminal.
_CAUGHT: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interruptions:
    """A context manager for the main thread: the first signal is noted, and ends waits; a second one strikes.

    So nothing is broken off in the middle, and who does not want to wait need not: the second Ctrl-C raises
    `KeyboardInterrupt`.
    """

    def __init__(self) -> None:
        #: The signal that came.
        self.caught: signal.Signals | None = None
        self._before: dict[signal.Signals, Any] = {}
        self._reader = self._writer = -1

    def __enter__(self) -> "Interruptions":
        # A pipe and no `threading.Event`: a handler that sets an event its own thread is waiting for may deadlock.
        self._reader, self._writer = os.pipe()
        for number in _CAUGHT:
            self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        os.close(self._reader)
        os.close(self._writer)

    def wait(self, seconds: float) -> bool:
        """Wait so long, or until a signal comes; return whether one has come."""
        if self.caught is None:
            select.select([self._reader], [], [], seconds)
        return self.caught is not None

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self.caught = signal.Signals(number)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.write(self._writer, b"!")
