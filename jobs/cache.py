"""Django's Redis cache with a client that gives up soon."""

from typing import Any

from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis import ConnectionPool

from jobs.redis import IMPATIENT, pool


class _Client(RedisCacheClient):
    """Uses the project's impatient connections instead of redis-py's defaults, which retry for seconds."""

    def _get_connection_pool(self, write: bool) -> ConnectionPool:
        if 0 not in self._pools:
            self._pools[0] = pool(timeout=IMPATIENT)
        found: ConnectionPool = self._pools[0]
        return found


class Cache(RedisCache):
    """A cache whose failures come at once, as `redis.RedisError`; callers go on without it."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = _Client
