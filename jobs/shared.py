"""What processes share through Redis and can do without: nothing here raises, and an outage costs one short wait."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Final

from redis import Redis, RedisError

from jobs import outage
from jobs.redis import IMPATIENT, connect

#: Seconds without any try after Redis failed, so that an outage does not slow down every request.
REST: Final = 2.0

_PREFIX: Final = "yellowbook:shared:"


class Shared:
    """Values by key, each for a limited time."""

    def __init__(self) -> None:
        self._rests_until = 0.0

    def get(self, key: str) -> bytes | None:
        """Return a value; None when there is none, or Redis is away."""
        if self._rests:
            return None
        try:
            found = _client().get(_PREFIX + key)
        except RedisError as error:
            self._trip(error)
            return None
        outage.redis.heal()
        return found if isinstance(found, bytes) else None

    def put(self, key: str, value: bytes, *, seconds: float) -> None:
        """Keep a value."""
        if self._rests:
            return
        try:
            _client().set(_PREFIX + key, value, px=max(1, int(seconds * 1000)))
        except RedisError as error:
            self._trip(error)

    def claim(self, key: str, *, seconds: float) -> bool:
        """Tell whether the caller is the first to claim `key` within that time; everybody is while Redis is away."""
        if self._rests:
            return True
        try:
            return bool(_client().set(_PREFIX + key, b"", nx=True, px=max(1, int(seconds * 1000))))
        except RedisError as error:
            self._trip(error)
            return True

    def release(self, key: str) -> None:
        """Let others claim `key`, or make its value anew."""
        if self._rests:
            return
        try:
            _client().delete(_PREFIX + key)
        except RedisError as error:
            self._trip(error)

    @contextmanager
    def off(self) -> Iterator[None]:
        """Do without Redis inside: nothing is found, nothing kept. For measurements; concerns the whole process."""
        before, self._rests_until = self._rests_until, math.inf
        try:
            yield
        finally:
            self._rests_until = before

    @property
    def _rests(self) -> bool:
        return time.monotonic() < self._rests_until

    def _trip(self, error: RedisError) -> None:
        self._rests_until = time.monotonic() + REST
        outage.redis.trip(error)


@cache
def _client() -> Redis:
    return connect(timeout=IMPATIENT)


#: This process's way to what is shared.
shared = Shared()
