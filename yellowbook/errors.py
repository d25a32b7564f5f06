"""The pages of last resort."""

import sys
from typing import Final

from django.db import InternalError
from django.http import HttpRequest, HttpResponseBase
from django.views import defaults

from jobs.api import errors
from jobs.database import OPERATIONAL, is_away, is_read_only


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Answer what Django refuses to look at (an unknown host, say) in the envelope under `/api/`."""
    if request.path.startswith("/api/"):
        return errors.bad_request(request, exception)
    return defaults.bad_request(request, exception)


#: Seconds after which somebody may try again when the database did not take what was asked.
RETRY_AFTER: Final = 5


def server_error(request: HttpRequest) -> HttpResponseBase:
    """Answer what no view caught: 503 while PostgreSQL is away or only lets read, else 500 for a defect of ours.

    In the envelope under `/api/`, with a page elsewhere. Django calls this while it handles the exception.
    """
    error = sys.exc_info()[1]
    unavailable = (isinstance(error, OPERATIONAL) and is_away(error)) or (
        isinstance(error, InternalError) and is_read_only(error)
    )
    response: HttpResponseBase
    if request.path.startswith("/api/"):
        response = errors.unavailable(request) if unavailable else errors.server_error(request)
    else:
        response = defaults.server_error(request, "503.html" if unavailable else "500.html")
    if unavailable:
        response.status_code = 503
        response.headers["Retry-After"] = str(RETRY_AFTER)
    return response
