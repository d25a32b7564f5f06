"""What concerns every request to the API."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

#: Paths where a trailing slash makes no difference.
_OPTIONAL_SLASH = ("/api/", "/health/", "/metrics")


class OptionalSlashMiddleware:
    """Serves `/api/x/` as `/api/x`, for any method: a redirect would lose the body of a POST."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Take the slash off before the path is resolved."""
        if request.path_info.endswith("/") and request.path_info.startswith(_OPTIONAL_SLASH):
            request.path_info = request.path_info.rstrip("/") or "/"
        return self.get_response(request)
