"""What can go wrong in a job, as a closed set of failure classes.

A handler, and every provider behind it, raises one of these. The class decides what happens next (`jobs.retry`), is
stored with the attempt and the dead letter, and is what people filter by. Anything else that escapes from a handler is
a defect of ours and is treated as `ServerError`: retried, then a dead letter with its traceback.
"""

from enum import StrEnum
from typing import ClassVar

from django.utils.translation import gettext_noop


class ErrorClass(StrEnum):
    """The names used in rows, API, admin, metrics and logs."""

    NETWORK = gettext_noop("network")
    SERVER = gettext_noop("server")
    BAD_RESPONSE = gettext_noop("bad_response")
    RATE_LIMITED = gettext_noop("rate_limited")
    QUOTA_EXHAUSTED = gettext_noop("quota_exhausted")
    AUTH = gettext_noop("auth")
    CONFIGURATION = gettext_noop("configuration")
    INVALID_INPUT = gettext_noop("invalid_input")
    BATCH_REJECTED = gettext_noop("batch_rejected")
    NOT_FOUND = gettext_noop("not_found")
    POISONED = gettext_noop("poisoned")


class JobError(Exception):
    """A failure whose class is known.

    `status_code` is the HTTP status that caused it, `retry_after` the seconds that the other side asked us to wait,
    `quota_id` the name of the exceeded quota, `sample` a clipped piece of a malformed answer.
    """

    error_class: ClassVar[ErrorClass] = ErrorClass.SERVER

    def __init__(
        self,
        message: str,
        *,
        status_code: int | None = None,
        retry_after: float | None = None,
        quota_id: str | None = None,
        sample: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status_code = status_code
        self.retry_after = retry_after
        self.quota_id = quota_id
        self.sample = sample


class NetworkError(JobError):
    """Timeout, refused, reset or truncated: the other side did not answer in full."""

    error_class = ErrorClass.NETWORK


class ServerError(JobError):
    """The other side answered that it failed: 408, 409, 499, 5xx, or a proxy's HTML page."""

    error_class = ErrorClass.SERVER


class BadResponse(JobError):
    """A success whose content can't be used: bad JSON, wrong count or dimensions, NaN, Inf, a zero vector."""

    error_class = ErrorClass.BAD_RESPONSE


class RateLimited(JobError):
    """429 per minute, per tokens, or with no details."""

    error_class = ErrorClass.RATE_LIMITED


class QuotaExhausted(JobError):
    """429 per day, or a limit of 0: waiting a minute will not help."""

    error_class = ErrorClass.QUOTA_EXHAUSTED


class AuthError(JobError):
    """The credentials were refused: 400 `API_KEY_INVALID`, 401, 403."""

    error_class = ErrorClass.AUTH


class ConfigurationError(JobError):
    """The request can't succeed as configured: unknown model (404), FAILED_PRECONDITION."""

    error_class = ErrorClass.CONFIGURATION


class InvalidInput(JobError):
    """This one input will never be accepted."""

    error_class = ErrorClass.INVALID_INPUT


class BatchRejected(JobError):
    """400 or 413 for several inputs at once: at least one of them is bad, which one is not said."""

    error_class = ErrorClass.BATCH_REJECTED


class NotFound(JobError):
    """The subject of the job is gone."""

    error_class = ErrorClass.NOT_FOUND


class Poisoned(JobError):
    """Claimed again and again and never finished: it takes its worker down."""

    error_class = ErrorClass.POISONED
