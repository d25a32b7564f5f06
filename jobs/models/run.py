"""Bulk operations."""

import uuid

from django.db import models
from django.db.models.functions import Now


class Run(models.Model):
    """A bulk operation over many subjects; its progress is counted from its jobs."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=64)
    requested_by = models.CharField(max_length=150)
    source = models.CharField(max_length=16)
    total = models.PositiveIntegerField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["-created_at"], name="jobs_run_created")]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"
