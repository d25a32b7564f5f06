"""Bulk operations."""

import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class Run(models.Model):
    """A bulk operation over many subjects of one kind.

    Its jobs are made with it, all at once, or fed to it bit by bit (`fed`) while its workers need more.
    """

    class State(models.TextChoices):
        """Where it stands; `jobs.runs` moves it from one to another."""

        #: Its jobs are worked on, and more are made where it is fed.
        RUNNING = "running", _("running")
        #: Nothing more is made; what was sent already comes to its end.
        STOPPING = "stopping", _("stopping")
        #: Stopped by a person before its end; can be resumed.
        STOPPED = "stopped", _("stopped")
        #: Every job of it has ended, well or not.
        COMPLETED = "completed", _("completed")
        #: No more jobs could be made; `error` says why. Can be resumed.
        FAILED = "failed", _("failed")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=64)
    state = models.CharField(max_length=10, choices=State, db_default=State.RUNNING)
    #: Whether its jobs are made bit by bit.
    fed = models.BooleanField(db_default=False)
    options = models.JSONField(db_default={}, blank=True)
    requested_by = models.CharField(max_length=150)
    source = models.CharField(max_length=16)
    #: Subjects that there were to deal with when it began; exact once it has completed.
    total = models.PositiveIntegerField()
    #: Jobs that belong to it, and subjects whose waiting job belonged to another run already.
    made = models.PositiveIntegerField(db_default=0)
    skipped = models.PositiveIntegerField(db_default=0)
    #: The last subject that was fed, and whether that was the last one of all.
    cursor = models.CharField(max_length=200, db_default="", blank=True)
    fed_all = models.BooleanField(db_default=True)
    #: Nothing is fed before: the pause between batches.
    next_feed_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(db_default="", blank=True)
    created_at = models.DateTimeField(db_default=Now())
    #: Since when it has been under way, and the seconds that it was before its last stop.
    resumed_at = models.DateTimeField(db_default=Now())
    seconds_before = models.FloatField(db_default=0.0)
    finished_at = models.DateTimeField(null=True, blank=True)
    #: What was processed when, lately: [[seconds of the epoch, processed], ...]; gives the rate.
    samples = models.JSONField(db_default=[], blank=True)

    class Meta:
        permissions = [("steer_run", "Can start, stop and resume runs")]
        constraints = [
            models.UniqueConstraint(
                fields=["kind"],
                condition=Q(fed=True, state__in=["running", "stopping"]),
                name="jobs_run_one_active_per_kind",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["running", "stopping", "stopped", "completed", "failed"]),
                name="jobs_run_state_known",
            ),
        ]
        indexes = [
            models.Index(fields=["-created_at"], name="jobs_run_created"),
            models.Index(fields=["kind"], condition=Q(state__in=["running", "stopping"]), name="jobs_run_active"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


class RunCount(models.Model):
    """How many jobs of a run have ended in one way.

    Written by `jobs.lifecycle` in the transaction that ends them, so that reading a run of a million jobs costs a
    handful of rows.
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="counts")
    #: The result of a job that succeeded, else `dead:` and the failure class, or `cancelled`.
    outcome = models.CharField(max_length=64)
    jobs = models.IntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "outcome"], name="jobs_run_count_one_per_outcome")]

    def __str__(self) -> str:
        return f"{self.outcome}: {self.jobs}"
