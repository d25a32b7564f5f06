"""A TCP port that is ours alone before the web server listens on it."""

import socket
import time
from collections.abc import Iterable

from yellowbook.local.errors import LocalError
from yellowbook.local.process import POLL, Pause

HOST = "127.0.0.1"
#: Where the search for a free port starts and ends.
FIRST, LAST = 8000, 8999
#: Seconds to wait for a port that was asked for by its number.
PATIENCE = 10.0


class ReservedPort:
    """A port held by a socket of our own, which never listens.

    granian binds with SO_REUSEPORT, so two of them on one port would share its connections without a word. No other
    program can take a port that is held here, and granian can, because the holder allows SO_REUSEPORT as well.
    """

    def __init__(self, wanted: int = 0, pause: Pause = time.sleep) -> None:
        """Take the wanted port, waiting a little for an earlier run that is on its way out, or the first free one."""
        until = time.monotonic() + PATIENCE
        while (held := _first_free([wanted] if wanted else range(FIRST, LAST + 1))) is None:
            if not wanted:
                raise LocalError(f"No port from {FIRST} to {LAST} is free. Set PORT to one that is.")
            if time.monotonic() > until:
                raise LocalError(f"PORT={wanted} can't be had: another program has it, or it takes more rights.")
            pause(POLL)
        self.number, self._holder = held

    def release(self) -> None:
        """Give the port back."""
        self._holder.close()


def _first_free(numbers: Iterable[int]) -> tuple[int, socket.socket] | None:
    for number in numbers:
        holder = _hold(number)
        if holder is not None:
            return number, holder
    return None


def _hold(number: int) -> socket.socket | None:
    """Return a socket that holds the port, or None when it is taken.

    To listen for a moment decides between two processes that bind at the same time, and passes over connections of an
    earlier server that are still being wound up. Closed for reuse before it stops listening, the port is never open to
    others in between.
    """
    holder = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind((HOST, number))
        holder.listen(1)
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        holder.shutdown(socket.SHUT_RDWR)
    except OSError:
        holder.close()
        return None
    return holder
