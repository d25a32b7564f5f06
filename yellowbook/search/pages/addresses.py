"""Whole addresses, for what leaves the page: canonical links, sitemaps, structured data."""

from django.conf import settings
from django.http import HttpRequest
from django.utils.encoding import iri_to_uri


def absolute(request: HttpRequest, path: str) -> str:
    """Return the address of a path as the outside knows it: at `PUBLIC_URL`, else at the host that was asked."""
    if settings.PUBLIC_URL:
        return settings.PUBLIC_URL.rstrip("/") + (iri_to_uri(path) or "")
    return request.build_absolute_uri(path)
