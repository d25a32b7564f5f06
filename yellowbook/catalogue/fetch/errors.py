"""What can go wrong on the way to a seller's site, each transient or permanent by the class that it extends.

None of them is an `AuthError` or `ConfigurationError`: those pause a lane, and one seller's site is no reason to stop
the others. For the same reason a kind of job that lets `Busy` through wants a row of its own for `rate_limited` in its
retry policy: the default one has the whole lane wait.
"""

from jobs.errors import BadResponse, InvalidInput, NetworkError, NotFound, RateLimited, ServerError


class Refused(InvalidInput):
    """We do not go there: not http(s), credentials in the URL, an odd port, an address not public. Permanent."""


class Denied(InvalidInput):
    """The site does not give it to us: 401, 403 and every other 4xx that asking again will not change. Permanent."""


class TooLarge(InvalidInput):
    """More bytes than the limit, or far more than were sent: a decompression bomb. Permanent."""


class TooManyRedirects(InvalidInput):
    """A loop, or a chain longer than the limit. Permanent."""


class RenderingMissing(InvalidInput):
    """Playwright or Chromium is not there, so pages can't be rendered. Permanent until it is installed."""


class Gone(NotFound):
    """404 or 410: the page is not there. Permanent."""


class Unreachable(NetworkError):
    """Name not found, refused, reset, cut short, not HTTP, a bad certificate. Transient."""


class TooSlow(NetworkError):
    """Not complete within the time allowed for the whole of it. Transient."""


class Failed(ServerError):
    """The site failed: 408, 425, 5xx; `retry_after` in seconds when it said so. Transient."""


class Busy(RateLimited):
    """429: we asked too often; `retry_after` in seconds when the site said so. Transient."""


class Unreadable(BadResponse):
    """An answer that makes no sense: damaged compression, an encoding not asked for, a stray 304. Transient."""
