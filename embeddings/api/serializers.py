"""Requests and answers of the embeddings API."""

from typing import Any

from rest_framework import serializers

from embeddings.models import Embedding
from jobs.api.fields import TextUUIDField
from jobs.states import Priority, Status

#: The most businesses that one bulk request may name.
BULK_LIMIT = 10_000


class BulkRequestSerializer(serializers.Serializer[dict[str, Any]]):
    """The businesses to embed."""

    business_ids = serializers.ListField(
        child=TextUUIDField(), min_length=1, max_length=BULK_LIMIT, help_text="1 to 10,000 ids of businesses."
    )
    priority = serializers.ChoiceField(choices=[(label, label) for label in Priority.labels], default="normal")


class BulkJobSerializer(serializers.Serializer[dict[str, Any]]):
    """The job of one business."""

    job_id = serializers.UUIDField()
    business_id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=Status.choices)


class BulkSerializer(serializers.Serializer[dict[str, Any]]):
    """What a bulk request came to."""

    queued = serializers.IntegerField(help_text="Jobs that were made.")
    skipped = serializers.IntegerField(help_text="Businesses for which a job waited already.")
    not_found = serializers.ListField(child=serializers.UUIDField(), help_text="Ids of no business.")
    jobs = BulkJobSerializer(many=True)
    run_id = serializers.UUIDField()


class EmbeddingSerializer(serializers.ModelSerializer[Embedding]):
    """The vector of a business by the model in use, without its numbers."""

    is_fresh = serializers.BooleanField(help_text="Whether it was made from the present text.")

    class Meta:
        model = Embedding
        fields = ["model", "provider", "is_fresh", "truncated", "created_at"]
        extra_kwargs = {"truncated": {"help_text": "Whether the text was cut to what the model reads."}}


class OneRequestSerializer(serializers.Serializer[dict[str, Any]]):
    """The business to embed now."""

    business_id = TextUUIDField()


class OneSerializer(serializers.Serializer[dict[str, Any]]):
    """A business whose vector is stored."""

    job_id = serializers.UUIDField()
    business_id = serializers.UUIDField()
    duration_ms = serializers.IntegerField()
    result = serializers.CharField(help_text="embedded, unchanged, cached or superseded.")


class ModelCountSerializer(serializers.Serializer[dict[str, Any]]):
    """The vectors of one model."""

    model = serializers.CharField()
    count = serializers.IntegerField()
    newest = serializers.DateTimeField()


class StatsSerializer(serializers.Serializer[dict[str, Any]]):
    """How well the businesses are covered by vectors."""

    model = serializers.CharField(help_text="The model in use.")
    total = serializers.IntegerField()
    with_embeddings = serializers.IntegerField(help_text="Businesses with a vector by the model in use.")
    without_embeddings = serializers.IntegerField()
    stale = serializers.IntegerField(help_text="Businesses whose only vectors are of an older text or another model.")
    coverage_percentage = serializers.FloatField()
    oldest_waiting_seconds = serializers.FloatField(allow_null=True)
    by_model = ModelCountSerializer(many=True)
