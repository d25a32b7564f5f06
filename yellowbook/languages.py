"""Which language an answer is in."""

import re
from typing import cast

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.middleware.locale import LocaleMiddleware
from django.utils import translation
from django.utils.cache import patch_vary_headers

#: What programs read, not people: always in English, and the same to the byte whatever the client's languages are.
_FOR_PROGRAMS = re.compile(r"/(api|health|metrics)(/|\Z)")


class LanguageMiddleware(LocaleMiddleware):
    """Speaks the visitor's language: that of the cookie, else the best of `Accept-Language`, else English.

    The thread is left as it was found, so that what comes next on it (a probe, which is answered earlier) is not in the
    language of the visitor before.
    """

    # The language belongs to the thread that answers.
    async_capable = False

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Serve the request in its language; answers to people say that they differ by it."""
        with translation.override(settings.LANGUAGE_CODE):
            if _FOR_PROGRAMS.match(request.path_info):
                return cast(HttpResponseBase, self.get_response(request))
            response = cast(HttpResponseBase, super().__call__(request))
            patch_vary_headers(response, ("Cookie",))
            return response
