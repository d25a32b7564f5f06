"""What concerns every request of the product."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from jobs.actor import acting_as
from jobs.states import Source

Answer = Callable[[HttpRequest], HttpResponse]

#: Nothing from anywhere but this host, no script in a page, no frame.
_STRICT = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
#: What some pages need more, by the beginning of their paths. Alpine, which unfold is made with, evaluates expressions;
#: it and Swagger set styles.
_MORE = {
    "/admin/": {"script-src": "'self' 'unsafe-eval'", "style-src": "'self' 'unsafe-inline'"},
    "/api/docs": {"style-src": "'self' 'unsafe-inline'"},
}


def _policy(path: str) -> str:
    more = next((more for prefix, more in _MORE.items() if path.startswith(prefix)), {})
    return "; ".join(f"{name} {sources}" for name, sources in {**_STRICT, **more}.items())


def content_security_policy(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Tell browsers where a page's parts may come from."""

    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", _policy(request.path))
        return response

    return answer


class ActingUserMiddleware:
    """Attributes the jobs that a request to the admin makes to the person behind it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Serve the request in the person's name."""
        if not request.path.startswith("/admin/") or not request.user.is_authenticated:
            return self.get_response(request)
        with acting_as(request.user.get_username(), Source.ADMIN):
            return self.get_response(request)
