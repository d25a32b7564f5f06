"""What concerns every request to the API."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import resolve

#: The beginning of paths where a trailing slash makes no difference.
_OPTIONAL_SLASH = "/api/"


class ProbeMiddleware:
    """Answers health checks and metrics before anything else, whatever host they are asked for.

    Load balancers and Prometheus name a host by its address, which `ALLOWED_HOSTS` would refuse.
    """

    PATHS = frozenset({"/health/live", "/health/ready", "/metrics"})

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a probe, pass on everything else."""
        path = request.path_info.rstrip("/")
        if path not in self.PATHS:
            return self.get_response(request)
        found = resolve(path)
        response: HttpResponse = found.func(request, *found.args, **found.kwargs)
        return response


class OptionalSlashMiddleware:
    """Serves `/api/x/` as `/api/x`, for any method: a redirect would lose the body of a POST."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Take the slash off before the path is resolved."""
        if request.path_info.endswith("/") and request.path_info.startswith(_OPTIONAL_SLASH):
            request.path_info = request.path_info.rstrip("/") or "/"
        return self.get_response(request)
