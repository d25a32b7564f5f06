"""Occasions, the reminders of them, what became of each, and the browsers that take push messages."""

import uuid
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from yellowbook.directory.fields import LineField
from yellowbook.directory.models import Business
from yellowbook.reminders import wall_time

#: The furthest that a reminder may come before its occasion, in days; `planning.LOOK_AHEAD` is made for it.
FURTHEST: Final = 30


class Channel(models.TextChoices):
    """How reminders go."""

    PUSH = "push", _("push")
    EMAIL = "email", _("e-mail")


def validate_zone(name: str) -> None:
    """Raise `ValidationError` for what is no time zone of IANA's."""
    if name not in wall_time.zone_names():
        raise ValidationError(gettext("There is no such time zone: expected a name of IANA's, as in Asia/Ulaanbaatar."))


def validate_day(day: Any) -> None:
    """Raise `ValidationError` for a day too far away."""
    if not wall_time.FIRST_DAY <= day < wall_time.END_DAY:
        raise ValidationError(gettext("Give a day from 1900 to 2199."))


def validate_offsets(offsets: list[int]) -> None:
    """Raise `ValidationError` for none, for more than ten, and for days after the occasion or too long before it."""
    if not 1 <= len(offsets) <= 10 or not all(-FURTHEST <= each <= 0 for each in offsets):
        told = gettext("Give one to ten numbers of days from -%(furthest)s to 0.")
        raise ValidationError(told % {"furthest": FURTHEST})


def validate_channels(channels: list[str]) -> None:
    """Raise `ValidationError` for no channel, and for one that is not known."""
    if not channels or not set(channels) <= set(Channel.values):
        raise ValidationError(gettext("Give at least one of push and email."))


def default_offsets() -> list[int]:
    """Return the offsets of who names none: a week, three days and a day before."""
    return [-7, -3, -1]


def default_channels() -> list[str]:
    """Return the channels of who names none: all."""
    return list(Channel.values)


class Occasion(models.Model):
    """Something that somebody wants to be reminded of, at a time of day in a time zone."""

    class Recurrence(models.TextChoices):
        """How it comes again; the words of `wall_time.Recurrence`."""

        NONE = "none", _("once")
        WEEKLY = "weekly", _("every week")
        MONTHLY = "monthly", _("every month")
        YEARLY = "yearly", _("every year")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="occasions")
    title = LineField(max_length=200)
    business = models.ForeignKey(Business, models.SET_NULL, null=True, blank=True, related_name="+")
    #: The first time, on the calendar and the clock of `time_zone`.
    date = models.DateField(validators=[validate_day])
    time = models.TimeField()
    time_zone = models.CharField(max_length=64, validators=[validate_zone])
    recurrence = models.CharField(max_length=10, choices=Recurrence, default=Recurrence.NONE)
    #: When to remind, in days from the occasion: 0 on the day itself, -7 a week before.
    offsets = ArrayField(models.SmallIntegerField(), default=default_offsets, validators=[validate_offsets])
    channels = ArrayField(
        models.CharField(max_length=10, choices=Channel), default=default_channels, validators=[validate_channels]
    )
    #: When its reminders are planned again: as its next occurrence is over. Null: there is nothing more to plan.
    plan_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(recurrence__in=["none", "weekly", "monthly", "yearly"]),
                name="reminders_occasion_recurrence_known",
            ),
        ]
        indexes = [
            models.Index(fields=["owner", "-created_at"], name="reminders_occasion_owner"),
            models.Index(fields=["-created_at", "-id"], name="reminders_occasion_at"),
            models.Index(fields=["plan_at"], condition=Q(plan_at__isnull=False), name="reminders_occasion_plan"),
        ]

    def __str__(self) -> str:
        return str(self.title)


class PushSubscription(models.Model):
    """A browser that takes push messages (RFC 8030, 8291). Whoever knows endpoint and keys can write to it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="push_subscriptions")
    endpoint = models.CharField(max_length=2_000, unique=True)
    #: The browser's public key, an uncompressed point of P-256, and its authentication secret: base64url.
    p256dh = models.CharField(max_length=100)
    auth = models.CharField(max_length=50)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["-created_at", "-id"], name="reminders_subscription_at")]

    def __str__(self) -> str:
        return self.service

    @property
    def service(self) -> str:
        """The host of the push service: as much of the endpoint as may be shown."""
        return urlsplit(self.endpoint).hostname or ""


class Schedule(models.Model):
    """One reminder over one channel, and where it stands."""

    class State(models.TextChoices):
        """Where it stands."""

        WAITING = "waiting", _("waiting")
        #: It has a job.
        QUEUED = "queued", _("queued")
        #: Tried in vain, and tried again.
        DELAYED = "delayed", _("delayed")
        SENT = "sent", _("sent")
        SKIPPED = "skipped", _("skipped")
        CANCELLED = "cancelled", _("cancelled")
        FAILED = "failed", _("failed")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    occasion = models.ForeignKey(Occasion, models.CASCADE, related_name="schedules")
    #: The day of the occasion that it reminds of.
    occurrence = models.DateField()
    offset = models.SmallIntegerField()
    channel = models.CharField(max_length=10, choices=Channel)
    due_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    #: Why it is skipped, cancelled, delayed or failed.
    reason = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["occasion", "occurrence", "offset", "channel"], name="reminders_schedule_once"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "queued", "delayed", "sent", "skipped", "cancelled", "failed"]),
                name="reminders_schedule_state_known",
            ),
            models.CheckConstraint(condition=Q(channel__in=["push", "email"]), name="reminders_schedule_channel_known"),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(state="waiting"), name="reminders_schedule_due"),
            models.Index(
                fields=["due_at"], condition=Q(state__in=["queued", "delayed"]), name="reminders_schedule_under_way"
            ),
            models.Index(fields=["-due_at", "-id"], name="reminders_schedule_at"),
        ]

    def __str__(self) -> str:
        return f"{self.channel}: {self.occurrence}, {self.offset} d"


class DeliveryRecord(models.Model):
    """What came of sending one reminder: one row for each that was tried, however often."""

    class Outcome(models.TextChoices):
        """How it ended, or stands."""

        DELAYED = "delayed", _("delayed")
        SENT = "sent", _("sent")
        FAILED = "failed", _("failed")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    schedule = models.OneToOneField(Schedule, models.CASCADE, related_name="delivery")
    outcome = models.CharField(max_length=10, choices=Outcome)
    attempts = models.PositiveIntegerField(default=0)
    #: Status of the last answer, of HTTP or SMTP.
    last_status = models.PositiveSmallIntegerField(null=True, blank=True)
    last_error = models.TextField(blank=True, default="")
    #: Ids of the browsers that have it already: a further attempt leaves them alone.
    reached = models.JSONField(default=list, blank=True)
    first_attempt_at = models.DateTimeField(db_default=Now())
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome__in=["delayed", "sent", "failed"]), name="reminders_delivery_outcome_known"
            ),
            models.CheckConstraint(
                condition=Q(outcome="sent", sent_at__isnull=False) | (~Q(outcome="sent") & Q(sent_at=None)),
                name="reminders_delivery_sent_at",
            ),
        ]
        indexes = [models.Index(fields=["-first_attempt_at", "-id"], name="reminders_delivery_at")]

    def __str__(self) -> str:
        return f"{self.outcome}: {self.schedule_id}"
