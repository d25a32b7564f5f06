"""How this installation visits sites: who it says it is, and where it may go."""

from collections.abc import Callable

from django.conf import settings

from yellowbook.catalogue.fetch.client import Fetcher
from yellowbook.catalogue.fetch.limits import Limits


def visitor(before: Callable[[str], None] | None = None) -> Fetcher:
    """Return a fetcher by the settings; the caller closes it. `before` is asked about every address."""
    return Fetcher(
        limits=Limits(seconds=settings.CATALOGUE_TIMEOUT, max_bytes=settings.CATALOGUE_PAGE_BYTES),
        allow_private=settings.CATALOGUE_ALLOW_PRIVATE,
        contact=settings.CATALOGUE_CONTACT,
        before=before,
    )
