"""JSON form of deliveries."""

from typing import Final

from rest_framework import serializers

from yellowbook.notifications.models import Delivery, DeliveryAttempt

_LISTED: Final[tuple[str, ...]] = (
    *("id", "event", "owner", "channel", "state", "attempts", "last_status", "last_answer", "last_error"),
    *("occurred_at", "created_at", "sent_at", "repeats"),
)


class DeliveryAttemptSerializer(serializers.ModelSerializer[DeliveryAttempt]):
    """One try."""

    class Meta:
        model = DeliveryAttempt
        fields = ["number", "at", "status", "ms", "error"]


class DeliverySerializer(serializers.ModelSerializer[Delivery]):
    """A delivery in a list."""

    class Meta:
        model = Delivery
        fields = _LISTED
        read_only_fields = _LISTED
        extra_kwargs = {"repeats": {"help_text": "The delivery that this one sends again."}}


class DeliveryDetailSerializer(DeliverySerializer):
    """A delivery with its message and every attempt."""

    log = DeliveryAttemptSerializer(many=True, read_only=True)

    class Meta(DeliverySerializer.Meta):
        fields = (*_LISTED, "payload", "subject", "body", "log")
        read_only_fields = fields
