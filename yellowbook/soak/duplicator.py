"""Loaded by a worker after `jobs.actors`: it gets every message five times."""

from collections.abc import Callable
from functools import wraps

from jobs.broker.redis import WakeConsumer

#: How often each message is delivered.
TIMES = 5


def repeated(fetch: Callable[[WakeConsumer], list[bytes]]) -> Callable[[WakeConsumer], list[bytes]]:
    """Return a function that fetches every message several times."""

    @wraps(fetch)
    def wrapped(consumer: WakeConsumer) -> list[bytes]:
        return [message for message in fetch(consumer) for _ in range(TIMES)]

    return wrapped


setattr(WakeConsumer, "_fetch", repeated(WakeConsumer._fetch))  # noqa: B010 a method can't be assigned to
