"""The closed sets of words that describe a job; stored, filtered by and shown everywhere alike."""

from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop


class Status(models.TextChoices):
    """Where a job stands. Only `jobs.lifecycle` moves a job from one to another."""

    #: Waiting for its first attempt, or taken back from a worker that did not finish it.
    QUEUED = "queued", _("queued")
    #: Claimed by a worker under a lease.
    RUNNING = "running", _("running")
    #: Waiting after a failed attempt, until `next_attempt_at`.
    RETRYING = "retrying", _("retrying")
    #: Done; `result` says how.
    SUCCEEDED = "succeeded", _("succeeded")
    #: Will not be tried again by itself; a dead letter says why.
    DEAD = "dead", _("dead")
    #: Called off by a person, by the deletion of its subject, or by a newer job that does its work.
    CANCELLED = "cancelled", _("cancelled")


#: A worker may claim these.
WAITING: Final = (Status.QUEUED, Status.RETRYING)
#: Nothing more happens to these by itself.
FINISHED: Final = (Status.SUCCEEDED, Status.DEAD, Status.CANCELLED)


class Priority(models.IntegerChoices):
    """Lower numbers are claimed first. The outside sees the names; people see them in their language."""

    HIGH = 0, gettext_noop("high")
    NORMAL = 1, gettext_noop("normal")
    LOW = 2, gettext_noop("low")

    @classmethod
    def named(cls, name: "str | Priority") -> "Priority":
        """Return the priority called `name`; `ValueError` names the legal ones."""
        if isinstance(name, cls):
            return name
        for priority in cls:
            if priority.label == name:
                return priority
        raise ValueError(f"unknown priority {name!r}: expected one of {', '.join(map(str, cls.labels))}")


class Operation(models.TextChoices):
    """What made the job necessary."""

    CREATE = "create", _("create")
    UPDATE = "update", _("update")
    BULK = "bulk", _("bulk")
    RETRY = "retry", _("retry")


class Source(models.TextChoices):
    """Where the request for the job came from; stored in its metadata."""

    API = "api", _("api")
    ADMIN = "admin", _("admin")
    CRON = "cron", _("cron")
    CLI = "cli", _("cli")
    DLQ_RETRY = "dlq-retry", _("dlq-retry")
