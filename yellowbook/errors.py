"""The pages of last resort."""

from django.http import HttpRequest, HttpResponseBase
from django.views import defaults

from jobs.api import errors


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Answer what Django refuses to look at (an unknown host, say) in the envelope under `/api/`."""
    if request.path.startswith("/api/"):
        return errors.bad_request(request, exception)
    return defaults.bad_request(request, exception)


def server_error(request: HttpRequest) -> HttpResponseBase:
    """Answer a defect of ours in the envelope under `/api/`, with Django's page elsewhere."""
    if request.path.startswith("/api/"):
        return errors.server_error(request)
    return defaults.server_error(request)
