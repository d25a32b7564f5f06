"""Waiting for what other processes do."""

import time
from collections.abc import Callable
from typing import Final, TypeVar

from yellowbook.local.errors import LocalError

#: Seconds for anything to start or to stop, and between two looks.
WITHIN: Final = 90.0
POLL: Final = 0.05

T = TypeVar("T")


def until(look: Callable[[], T], what: str, *, within: float = WITHIN, poll: float = POLL) -> T:
    """Return what `look` returns as soon as that is true; raise `LocalError` when it takes too long."""
    end = time.monotonic() + within
    while not (found := look()):
        if time.monotonic() > end:
            raise LocalError(f"{within:g} s passed without this: {what}")
        time.sleep(poll)
    return found
