"""What concerns every request to the API."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import resolve

from jobs.api.errors import envelope

#: The beginning of the API's paths.
_API = "/api/"


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
        if request.path_info.endswith("/") and request.path_info.startswith(_API):
            request.path_info = request.path_info.rstrip("/") or "/"
        return self.get_response(request)


class ReadableBodyMiddleware:
    """Refuses the bodies that nobody behind it would read.

    One without a length (chunked, or a stream of HTTP/2) would be taken for an empty one, a compressed one for garbage.
    """

    METHODS = frozenset({"POST", "PUT", "PATCH"})

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer 411, 415 or 400 instead of letting the body pass for something else."""
        if request.method not in self.METHODS or not request.path_info.startswith(_API):
            return self.get_response(request)
        length = request.META.get("CONTENT_LENGTH") or ""
        if length and not (length.isascii() and length.isdigit()):
            return _refusal(400, "parse_error", "The length of the body is not a number.")
        if not length and _has_body(request):
            return _refusal(411, "length_required", "Send the body with its Content-Length, not in chunks.")
        if request.META.get("HTTP_CONTENT_ENCODING", "identity").strip().lower() not in {"", "identity"}:
            return _refusal(415, "unsupported_media_type", "Send the body without compression.")
        return self.get_response(request)


def _has_body(request: HttpRequest) -> bool:
    """Tell whether a body follows whose length is not given."""
    if request.META.get("HTTP_TRANSFER_ENCODING"):
        return True
    # HTTP/2 has no such header; there, the end of the stream is known, so that reading does not wait.
    return request.META.get("SERVER_PROTOCOL") == "HTTP/2" and bool(request.META["wsgi.input"].read(1))


def _refusal(status: int, code: str, message: str) -> JsonResponse:
    return JsonResponse(envelope(code, message), status=status)
