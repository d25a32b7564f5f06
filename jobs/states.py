"""The closed sets of words that describe a job; stored, filtered by and shown everywhere alike."""

from typing import Final

from django.db import models


class Status(models.TextChoices):
    """Where a job stands. Only `jobs.lifecycle` moves a job from one to another."""

    #: Waiting for its first attempt, or taken back from a worker that did not finish it.
    QUEUED = "queued", "queued"
    #: Claimed by a worker under a lease.
    RUNNING = "running", "running"
    #: Waiting after a failed attempt, until `next_attempt_at`.
    RETRYING = "retrying", "retrying"
    #: Done; `result` says how.
    SUCCEEDED = "succeeded", "succeeded"
    #: Will not be tried again by itself; a dead letter says why.
    DEAD = "dead", "dead"
    #: Called off by a person, by the deletion of its subject, or by a newer job that does its work.
    CANCELLED = "cancelled", "cancelled"


#: A worker may claim these.
WAITING: Final = (Status.QUEUED, Status.RETRYING)
#: Nothing more happens to these by itself.
FINISHED: Final = (Status.SUCCEEDED, Status.DEAD, Status.CANCELLED)


class Priority(models.IntegerChoices):
    """Lower numbers are claimed first. The outside sees the names."""

    HIGH = 0, "high"
    NORMAL = 1, "normal"
    LOW = 2, "low"

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

    CREATE = "create", "create"
    UPDATE = "update", "update"
    BULK = "bulk", "bulk"
    RETRY = "retry", "retry"


class Source(models.TextChoices):
    """Where the request for the job came from; stored in its metadata."""

    API = "api", "api"
    ADMIN = "admin", "admin"
    CRON = "cron", "cron"
    CLI = "cli", "cli"
    DLQ_RETRY = "dlq-retry", "dlq-retry"
