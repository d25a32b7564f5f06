"""Waiting for what real processes do: with a deadline and a poll, never for a fixed time."""

import time
from collections.abc import Callable
from typing import TypeVar

#: Seconds between two looks.
POLL = 0.03
#: Seconds that anything may take unless a flow promises more. Generous: a busy machine must not fail a test.
DEADLINE = 60.0
#: Seconds that a worker may take to start: it loads everything twice, and on a busy machine that is a minute.
START_DEADLINE = 180.0

T = TypeVar("T")


def until(look: Callable[[], T], what: str, *, within: float = DEADLINE, note: Callable[[], str] = str) -> T:
    """Return what `look` returns as soon as that is true; fail after `within` seconds, saying `what` did not happen.

    `note` says how things stand then.
    """
    end = time.monotonic() + within
    while True:
        if found := look():
            return found
        if time.monotonic() > end:
            raise AssertionError(f"{within:g} s passed without this: {what}. {note()}".strip())
        # Other processes tell nobody when they are there; `end` bounds the wait.
        time.sleep(POLL)
