"""How often a client may call."""

from typing import TYPE_CHECKING

import structlog
from redis import RedisError
from rest_framework.request import Request
from rest_framework.throttling import ScopedRateThrottle

if TYPE_CHECKING:
    from rest_framework.views import APIView

log = structlog.get_logger(__name__)


class FailOpenThrottle(ScopedRateThrottle):
    """Counts calls per client and scope in the cache; lets everyone through while the cache is away."""

    def allow_request(self, request: Request, view: "APIView") -> bool:
        """Tell whether the call may go on."""
        try:
            return super().allow_request(request, view)
        except (RedisError, OSError) as error:
            log.warning("throttle_without_redis", error=type(error).__name__)
            return True
