"""Plain dramatiq: messages in Redis that do nothing, without rows, claims or outcomes."""

from typing import Final

import dramatiq
from django.conf import settings
from dramatiq.brokers.redis import RedisBroker

broker: Final = RedisBroker(url=settings.REDIS_URL, namespace="plain")


@dramatiq.actor(broker=broker)
def nothing() -> None:
    """Do nothing."""
