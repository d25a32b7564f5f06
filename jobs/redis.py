"""Connections to Redis, by how long their user can wait."""

from django.conf import settings
from redis import ConnectionPool, Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

#: Seconds that a caller with a person behind it waits for Redis; it goes on without.
IMPATIENT: float = 0.25
#: Seconds that a worker waits for Redis.
PATIENT: float = 5.0


def pool(*, timeout: float) -> ConnectionPool:
    """Return a pool of connections that give up after `timeout` seconds and never retry by themselves.

    redis-py retries three times with growing pauses unless told otherwise: a save would hang on them.
    """
    return ConnectionPool.from_url(
        settings.REDIS_URL,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        retry=Retry(NoBackoff(), 0),
    )


def connect(*, timeout: float) -> Redis:
    """Return a client over a pool of its own."""
    return Redis(connection_pool=pool(timeout=timeout))
