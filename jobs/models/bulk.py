"""What a person has done to many rows at once, in the background."""

import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class BulkAction(models.Model):
    """One action on all rows that a person chose: worked off by a job, batch by batch, in the order of the rows' keys.

    Counts and cursor are written in the transaction of each batch. Only `jobs.bulk` writes a state.
    """

    class State(models.TextChoices):
        """Where it stands."""

        #: No batch has been worked on yet.
        WAITING = "waiting", _("waiting")
        #: Some have; its job goes on with the next one.
        WORKING = "working", _("working")
        #: There are no more rows.
        DONE = "done", _("done")
        #: A person stopped it: what is done stays done, the rest is left alone.
        STOPPED = "stopped", _("stopped")
        #: Its job is dead; `error` says why. A retry of the job goes on where it was.
        FAILED = "failed", _("failed")

    #: States from which its job goes on.
    UNDER_WAY = (State.WAITING, State.WORKING)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    #: Name of one of `jobs.bulk.actions`.
    action = models.CharField(max_length=40)
    #: Which rows: {door: what it says}, see `jobs.bulk.criteria`.
    criteria = models.JSONField()
    #: The last row that there was when the person was asked, in the order of the action's key; later ones are left out.
    up_to = models.CharField(max_length=40, db_default="", blank=True)
    requested_by = models.CharField(max_length=150)
    source = models.CharField(max_length=16)
    #: Why, in the person's words.
    note = models.TextField(db_default="", blank=True)
    #: The most rows that are changed in any second; NULL: as fast as it goes.
    per_second = models.PositiveIntegerField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=State, db_default=State.WAITING)
    #: Rows that matched when it was asked for.
    total = models.PositiveIntegerField()
    #: Rows that were changed, and rows that were looked at and left alone, by reason.
    done = models.PositiveIntegerField(db_default=0)
    skipped = models.PositiveIntegerField(db_default=0)
    reasons = models.JSONField(db_default={}, blank=True)
    #: Key of the last row that was looked at; empty at first.
    cursor = models.CharField(max_length=100, db_default="", blank=True)
    #: Nothing is done before: what `per_second` asks for.
    next_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(db_default="", blank=True)
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "working", "done", "stopped", "failed"]),
                name="jobs_bulkaction_state_known",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "working"], finished_at__isnull=True)
                | Q(state__in=["done", "stopped", "failed"], finished_at__isnull=False),
                name="jobs_bulkaction_ends_once",
            ),
            models.CheckConstraint(
                condition=Q(per_second__isnull=True) | Q(per_second__gte=1), name="jobs_bulkaction_some_per_second"
            ),
        ]
        indexes = [
            models.Index(fields=["-created_at", "id"], name="jobs_bulkaction_created"),
            models.Index(
                fields=["id"], condition=Q(state__in=["waiting", "working"]), name="jobs_bulkaction_under_way"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.id}"

    @property
    def is_under_way(self) -> bool:
        """Whether more is going to be done."""
        return self.state in self.UNDER_WAY
