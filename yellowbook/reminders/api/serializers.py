"""JSON forms of occasions, reminders and browsers."""

import datetime
import re
from collections.abc import Callable
from typing import Any, ClassVar, Final

from django.core.exceptions import ValidationError
from rest_framework import serializers

from jobs.api.fields import DayField, TextField, TextUUIDField, WholeNumberField
from yellowbook.catalogue.fetch.addresses import checked_url
from yellowbook.catalogue.fetch.errors import Refused
from yellowbook.directory.api.serializers import CleanCharField
from yellowbook.directory.models import Business
from yellowbook.reminders.encryption import check_key, from_base64
from yellowbook.reminders.models import (
    FURTHEST,
    Channel,
    DeliveryRecord,
    Occasion,
    PushSubscription,
    Schedule,
    validate_day,
    validate_zone,
)

#: Length of a browser's authentication secret (RFC 8291, 3.2), in bytes.
AUTH_BYTES: Final = 16


class ClockField(TextField):
    """A time of day on a clock of 24 hours, as 09:30."""

    pattern: ClassVar = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"

    def to_internal_value(self, data: Any) -> Any:
        """Read a string."""
        text = super().to_internal_value(data)
        if not re.fullmatch(self.pattern, text):
            raise serializers.ValidationError("Give a time of day from 00:00 to 23:59.")
        return datetime.time.fromisoformat(text)

    def to_representation(self, value: Any) -> str:
        """Return hours and minutes."""
        return f"{value:%H:%M}"


class WordField(serializers.ChoiceField):
    """One of some words."""

    def to_internal_value(self, data: Any) -> Any:
        """Read a string."""
        if not isinstance(data, str):
            self.fail("invalid_choice", input=data)
        return super().to_internal_value(data)


class OccasionSerializer(serializers.ModelSerializer[Occasion]):
    """An occasion; reminders of it are planned as it is saved."""

    owner = serializers.CharField(source="owner.username", read_only=True)
    title = CleanCharField(max_length=200)
    business_id = TextUUIDField(required=False, allow_null=True)
    date = DayField(help_text="The first time, from 1900 to 2199.")
    time = ClockField()
    time_zone = TextField(max_length=64, help_text="A name of IANA's, as in Asia/Ulaanbaatar.")
    recurrence = WordField(choices=Occasion.Recurrence.choices, required=False)
    offsets = serializers.ListField(
        child=WholeNumberField(min_value=-FURTHEST, max_value=0),
        min_length=1,
        max_length=10,
        required=False,
        help_text="When to remind, in days from the occasion; without it a week, three days and a day before.",
    )
    channels = serializers.ListField(
        child=WordField(choices=Channel.choices), min_length=1, max_length=len(Channel), required=False
    )

    class Meta:
        model = Occasion
        fields: ClassVar = [
            *("id", "owner", "title", "business_id", "date", "time", "time_zone", "recurrence", "offsets"),
            *("channels", "created_at"),
        ]
        read_only_fields: ClassVar = ["created_at"]

    def validate_date(self, day: datetime.date) -> datetime.date:
        """Refuse days too far away."""
        _check(validate_day, day)
        return day

    def validate_time_zone(self, name: str) -> str:
        """Refuse what is no time zone."""
        _check(validate_zone, name)
        return name

    def validate_offsets(self, offsets: list[int]) -> list[int]:
        """Return each once, the earliest first."""
        return sorted(set(offsets))

    def validate_channels(self, channels: list[str]) -> list[str]:
        """Return each once."""
        return sorted(set(channels))

    def validate_business_id(self, business_id: Any) -> Any:
        """Refuse a business that is not there."""
        if business_id is not None and not Business.objects.filter(pk=business_id).exists():
            raise serializers.ValidationError("There is no such business.")
        return business_id


class DeliveryRecordSerializer(serializers.ModelSerializer[DeliveryRecord]):
    """What came of sending a reminder."""

    outcome = serializers.ChoiceField(choices=DeliveryRecord.Outcome.choices)

    class Meta:
        model = DeliveryRecord
        fields: ClassVar = ["outcome", "attempts", "last_status", "last_error", "first_attempt_at", "sent_at"]


class ScheduleSerializer(serializers.ModelSerializer[Schedule]):
    """One reminder over one channel, and where it stands."""

    occasion_id = serializers.UUIDField()
    channel = serializers.ChoiceField(choices=Channel.choices)
    state = serializers.ChoiceField(choices=Schedule.State.choices)
    delivery = DeliveryRecordSerializer(allow_null=True, help_text="Null until it is tried.")

    class Meta:
        model = Schedule
        fields: ClassVar = [
            *("id", "occasion_id", "occurrence", "offset", "channel", "due_at", "state", "reason", "delivery"),
        ]

    def to_representation(self, instance: Schedule) -> dict[str, Any]:
        """Return it; one that was never tried has no delivery."""
        if not hasattr(instance, "delivery"):
            instance._state.fields_cache["delivery"] = None
        return super().to_representation(instance)


class SubscriptionSerializer(serializers.ModelSerializer[PushSubscription]):
    """A browser. What a stranger could write to it with is taken, and never shown."""

    owner = serializers.CharField(source="owner.username", read_only=True)
    service = serializers.CharField(read_only=True, help_text="The host of the endpoint.")
    endpoint = TextField(max_length=2_000, write_only=True)
    p256dh = TextField(max_length=100, write_only=True, help_text="The browser's public key, base64url.")
    auth = TextField(max_length=50, write_only=True, help_text="Its authentication secret, base64url.")

    class Meta:
        model = PushSubscription
        fields: ClassVar = ["id", "owner", "service", "endpoint", "p256dh", "auth", "created_at"]
        read_only_fields: ClassVar = ["created_at"]

    def validate_endpoint(self, url: str) -> str:
        """Refuse what nothing could ever be sent to."""
        allow_private = self.context["allow_private"]
        try:
            checked = checked_url(url, allow_private=allow_private)
        except Refused as error:
            raise serializers.ValidationError(str(error)) from None
        if checked.scheme != "https" and not allow_private:
            raise serializers.ValidationError("Push services are reached by https only.")
        return str(checked)

    def validate_p256dh(self, text: str) -> str:
        """Refuse what is no public key: nothing could be encrypted for it."""
        try:
            check_key(text)
        except ValueError:
            raise serializers.ValidationError("Give an uncompressed point of P-256 in base64url.") from None
        return text

    def validate_auth(self, text: str) -> str:
        """Refuse a secret of another length."""
        try:
            fits = len(from_base64(text)) == AUTH_BYTES
        except ValueError:
            fits = False
        if not fits:
            raise serializers.ValidationError(f"Give {AUTH_BYTES} bytes in base64url.")
        return text


class PushKeySerializer(serializers.Serializer[Any]):
    """What browsers subscribe with."""

    public_key = serializers.CharField(allow_null=True, help_text="Null while push is not set up here.")


def _check(validate: Callable[[Any], None], value: Any) -> None:
    """Refuse a value that one of the model's validators refuses."""
    try:
        validate(value)
    except ValidationError as error:
        raise serializers.ValidationError(error.messages) from None
