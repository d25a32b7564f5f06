"""Alerts and their history."""

import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class Alert(models.Model):
    """How one rule stands. There is a row for every rule that was ever evaluated."""

    class State(models.TextChoices):
        """Whether something is wrong."""

        OK = "ok", _("ok")
        FIRING = "firing", _("firing")

    rule = models.CharField(max_length=64, primary_key=True)
    state = models.CharField(max_length=10, choices=State, db_default=State.OK)
    #: When it came into this state.
    since = models.DateTimeField(db_default=Now())
    value = models.FloatField(null=True, blank=True)
    message = models.TextField(db_default="", blank=True)
    #: Why the last check could not tell; empty when it could.
    error = models.TextField(db_default="", blank=True)
    last_checked_at = models.DateTimeField(null=True, blank=True)
    #: When people were last told that it fires; the cool-down counts from here.
    last_notified_at = models.DateTimeField(null=True, blank=True)
    #: Whether people were told that it fires, and not yet that it is over.
    announced = models.BooleanField(db_default=False)

    class Meta:
        permissions = [("test_alert", "Can send test alerts")]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=["ok", "firing"]), name="alerts_alert_state_known"),
            models.CheckConstraint(
                condition=Q(announced=False) | Q(state="firing", last_notified_at__isnull=False),
                name="alerts_alert_announced_while_firing",
            ),
        ]

    def __str__(self) -> str:
        return self.rule


class AlertEvent(models.Model):
    """One change of an alert, as it was: everything that a message about it says.

    Its id goes with every copy of the message, so that a receiver can tell a repeated delivery from a new event.
    """

    class Kind(models.TextChoices):
        """What happened."""

        FIRED = "fired", _("fired")
        REMINDED = "reminder", _("reminder")
        RECOVERED = "recovered", _("recovered")
        TEST = "test", _("test")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    rule = models.CharField(max_length=64)
    kind = models.CharField(max_length=10, choices=Kind)
    title = models.CharField(max_length=200)
    severity = models.CharField(max_length=10)
    state = models.CharField(max_length=10, choices=Alert.State)
    since = models.DateTimeField()
    value = models.FloatField(null=True, blank=True)
    threshold = models.FloatField(null=True, blank=True)
    message = models.TextField(blank=True)
    next_step = models.TextField(blank=True)
    #: Path of the admin's page where the next step is done.
    path = models.CharField(max_length=300, blank=True)
    #: Whether people were told; changes within a cool-down are written down only.
    notified = models.BooleanField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = "alert event"
        indexes = [
            models.Index(fields=["-at", "id"], name="alerts_event_at"),
            models.Index(fields=["rule", "-at"], name="alerts_event_rule"),
        ]

    def __str__(self) -> str:
        return f"{self.rule} {self.kind}"
