"""Messages to people outside, and every attempt to deliver one."""

import uuid

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class Delivery(models.Model):
    """One message to one owner over one channel.

    Its id goes with every attempt, so that a receiver can tell a repeated one from a new message. It holds no address
    and no secret: those are the owner's, and looked up when it is sent.
    """

    class Channel(models.TextChoices):
        """How it goes."""

        WEBHOOK = "webhook", _("webhook")
        EMAIL = "email", _("email")

    class State(models.TextChoices):
        """Where it stands."""

        WAITING = "waiting", _("waiting")
        SENT = "sent", _("sent")
        #: Not tried again by itself.
        FAILED = "failed", _("failed")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    #: What happened, e.g. `seller.approved`: the `type` of a webhook.
    event = models.CharField(max_length=100)
    #: Who is told: `kind:id`; see `owners`.
    owner = models.CharField(max_length=100)
    channel = models.CharField(max_length=10, choices=Channel)
    #: The `data` of a webhook.
    payload = models.JSONField(encoder=DjangoJSONEncoder)
    #: Subject and text of a letter.
    subject = models.TextField(blank=True)
    body = models.TextField(blank=True)
    state = models.CharField(max_length=10, choices=State, db_default=State.WAITING)
    attempts = models.PositiveIntegerField(db_default=0)
    #: Status of the last answer, of HTTP or SMTP; null when there was none.
    last_status = models.PositiveSmallIntegerField(null=True, blank=True)
    #: Beginning of the last answer, without secrets.
    last_answer = models.TextField(db_default="", blank=True)
    last_error = models.TextField(db_default="", blank=True)
    #: When the event was; the same in every repetition.
    occurred_at = models.DateTimeField(db_default=Now())
    created_at = models.DateTimeField(db_default=Now())
    sent_at = models.DateTimeField(null=True, blank=True)
    #: The delivery that a person had sent again.
    repeats = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="repetitions")

    class Meta:
        # "Deliveries" are something else in `jobs`, and translated as such.
        verbose_name = "notification"
        verbose_name_plural = "notifications"
        permissions = [("replay_delivery", "Can send deliveries again")]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "sent", "failed"]), name="notifications_delivery_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state="sent", sent_at__isnull=False) | (~Q(state="sent") & Q(sent_at=None)),
                name="notifications_delivery_sent_at",
            ),
            models.CheckConstraint(
                condition=Q(channel__in=["webhook", "email"]), name="notifications_delivery_channel_known"
            ),
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="notifications_delivery_at"),
            models.Index(fields=["owner", "-created_at"], name="notifications_delivery_owner"),
            models.Index(fields=["event", "-created_at"], name="notifications_delivery_event"),
            models.Index(fields=["state", "-created_at"], name="notifications_delivery_state"),
        ]

    def __str__(self) -> str:
        return f"{self.event}: {self.owner}"


class DeliveryAttempt(models.Model):
    """One try, and what came of it."""

    id = models.BigAutoField(primary_key=True)
    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="log")
    number = models.PositiveIntegerField()
    #: When it ended.
    at = models.DateTimeField(db_default=Now())
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    #: Milliseconds that it took.
    ms = models.PositiveIntegerField()
    #: Empty when it was sent.
    error = models.TextField(blank=True)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["delivery", "number"], name="notifications_attempt_number"),
        ]

    def __str__(self) -> str:
        return f"attempt {self.number} of {self.delivery_id}"
