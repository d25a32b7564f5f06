"""Django's Redis cache with a client that gives up soon."""

from functools import cached_property
from typing import Any

from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis import ConnectionPool

from jobs.redis import IMPATIENT, pool


class _Client(RedisCacheClient):
    """Uses the project's impatient connections instead of redis-py's defaults, which retry for seconds."""

    @cached_property
    def _impatient_pool(self) -> ConnectionPool:
        return pool(timeout=IMPATIENT)

    def _get_connection_pool(self, write: bool) -> ConnectionPool:
        return self._impatient_pool


class Cache(RedisCache):
    """A cache whose failures come at once, as `redis.RedisError`; callers go on without it."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = _Client
