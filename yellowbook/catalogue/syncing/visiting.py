"""How this installation visits sites: who it says it is, and where it may go."""

from collections.abc import Callable

from django.conf import settings

from jobs.errors import ErrorClass, InvalidInput, JobError
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


def of_site(error: JobError) -> JobError:
    """Return what a site did as a failure of one job that says nothing of others.

    A lane is paused when everything that it sends is refused with a status (`jobs.lifecycle.circuit`); here everything
    may have been sent to one site.
    """
    if error.error_class is ErrorClass.INVALID_INPUT and error.status_code:
        return InvalidInput(error.message)
    return error
