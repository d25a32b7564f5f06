"""Stored vectors."""

from typing import Any

from django.db import models
from django.db.models import Func, Q
from django.db.models.functions import Now
from pgvector.django import HalfVectorField

from embeddings.providers.base import DIMENSIONS


class Embedding(models.Model):
    """The vector of one business by one model, with everything that tells whether it is still the right one.

    Rows are keyed by (business, model), so that a new model can be filled in while the old one keeps serving. Vectors
    of different models are never compared.

    `halfvec` takes 1.5 kB a row and stays out of TOAST, where `vector` takes 3 kB and goes in: an exact scan is 5 times
    faster, and the ranking is the same within 0.03 of recall (measured on 100,000 rows).
    """

    business = models.ForeignKey("directory.Business", on_delete=models.CASCADE, related_name="embeddings")
    model = models.CharField(max_length=100)
    provider = models.CharField(max_length=40)
    task_type = models.CharField(max_length=30)
    #: Identifies the text that the vector was made from; stale as soon as the business's own differs.
    text_hash = models.CharField(max_length=64)
    #: Whether the text was cut to the model's limit, on a word boundary, before it was sent.
    truncated = models.BooleanField(db_default=False)
    vector = HalfVectorField(dimensions=DIMENSIONS)
    job_id = models.UUIDField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    #: Whether it was made from the subject's present text; set by the selectors, which know the subject.
    is_fresh: bool

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["business", "model"], name="embeddings_one_per_business_and_model"),
            models.CheckConstraint(condition=~Q(text_hash=""), name="embeddings_text_hash_set"),
        ]
        indexes = [models.Index(fields=["model", "text_hash"], name="embeddings_by_text")]

    def __str__(self) -> str:
        return f"{self.model} of {self.business_id}"


class TransactionId(models.Field[int, int]):
    """The number of a transaction, as PostgreSQL compares it with its snapshots."""

    def db_type(self, connection: Any) -> str:
        """Return PostgreSQL's type."""
        return "xid8"


class Change(models.Model):
    """A subject whose vector has changed, or a field that neighbours are narrowed by; kept for an hour.

    Only `embeddings.sketches.changes` reads and writes these.
    """

    business_id = models.UUIDField()
    xid = TransactionId(db_default=Func(function="pg_current_xact_id"))
    noted_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["xid"], name="embeddings_change_xid")]

    def __str__(self) -> str:
        return f"{self.business_id} at {self.noted_at}"


class ProviderUsage(models.Model):
    """What was asked of a provider on one day, over all processes; never pruned, so the sums only grow.

    A day is Google's quota day, which begins at midnight Pacific time.
    """

    day = models.DateField()
    provider = models.CharField(max_length=40)
    model = models.CharField(max_length=100)
    #: `ok`, or the failure class.
    outcome = models.CharField(max_length=20)
    calls = models.PositiveBigIntegerField()
    texts = models.PositiveBigIntegerField()
    seconds = models.FloatField()
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "provider usage"
        constraints = [
            models.UniqueConstraint(fields=["day", "provider", "model", "outcome"], name="embeddings_usage_one_per_day")
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.provider} {self.outcome}"


class ServingModel(models.Model):
    """Which of a vendor's models serves, for all processes at once.

    A vendor without a row is served by what the settings name. Written by
    `embeddings.switch` alone.
    """

    vendor = models.CharField(max_length=40, primary_key=True)
    model = models.CharField(max_length=100)
    #: What served before, and can serve again; empty when its vectors were dropped.
    previous = models.CharField(max_length=100, blank=True)
    switched_at = models.DateTimeField(db_default=Now())
    switched_by = models.CharField(max_length=150)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(model=""), name="embeddings_serving_model_named"),
            models.CheckConstraint(
                condition=~Q(model=models.F("previous")), name="embeddings_serving_model_is_not_previous"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.vendor}: {self.model}"
