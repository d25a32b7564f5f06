"""Answers kept for clients that send a request again."""

from django.db import models
from django.db.models.functions import Now


class IdempotentRequest(models.Model):
    """A request that carried an `Idempotency-Key` and took effect, with the answer it got.

    Written in the transaction of the effect itself: where there is no row, nothing was done.
    """

    #: Who asked, what for, under which key; keys of different callers or paths have nothing to do with each other.
    caller = models.CharField(max_length=150)
    path = models.CharField(max_length=200)
    key = models.CharField(max_length=255)
    #: SHA-256 of the request's content, in hex.
    content_hash = models.CharField(max_length=64)
    status_code = models.PositiveSmallIntegerField(db_default=0)
    #: The answer's body as JSON, and its `Location`.
    body = models.TextField(db_default="")
    location = models.CharField(max_length=300, db_default="")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["caller", "path", "key"], name="jobs_idempotent_request_once")]
        indexes = [models.Index(fields=["created_at"], name="jobs_idempotent_created")]

    def __str__(self) -> str:
        return f"{self.path} {self.key}"
