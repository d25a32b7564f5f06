"""What concerns every request of the product."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from jobs.actor import acting_as
from jobs.states import Source


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
