"""Lanes, and the leases by which workers hold their jobs."""

import uuid

from django.db import models
from django.db.models.functions import Now


class Lease(models.Model):
    """A worker's claim on a batch of due jobs of one lane, for a limited time."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=64)
    worker = models.CharField(max_length=100)
    size = models.PositiveSmallIntegerField()
    #: How far the whole batch has come, 0 to 100.
    progress = models.PositiveSmallIntegerField(db_default=10)
    steps = models.JSONField(db_default=[])
    claimed_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["kind"], name="jobs_lease_kind"),
            models.Index(fields=["expires_at"], name="jobs_lease_expires"),
            models.Index(fields=["worker"], name="jobs_lease_worker"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} x {self.size} on {self.worker}"


class Lane(models.Model):
    """The steering of all jobs of one kind: while it is paused, nothing of it is claimed."""

    kind = models.CharField(max_length=64, primary_key=True)
    paused_at = models.DateTimeField(null=True, blank=True)
    paused_until = models.DateTimeField(null=True, blank=True)
    paused_by = models.CharField(max_length=150, db_default="", blank=True)
    pause_reason = models.CharField(max_length=200, db_default="", blank=True)
    #: The failure class that paused it; empty when a person did.
    circuit = models.CharField(max_length=20, db_default="", blank=True)
    #: When a paused lane tries again with a probe.
    probe_at = models.DateTimeField(null=True, blank=True)
    #: Nothing is claimed before: the provider asked everybody to wait.
    closed_until = models.DateTimeField(null=True, blank=True)
    #: The scheduler sends no wake-up before: there is no budget until then.
    wake_at = models.DateTimeField(null=True, blank=True)
    #: Single jobs rejected one after another with no success between: a sign that it is not the jobs.
    rejections = models.PositiveIntegerField(db_default=0)

    class Meta:
        permissions = [("pause_lane", "Can pause and resume lanes")]

    def __str__(self) -> str:
        return self.kind
