"""JSON forms of businesses and imports."""

from copy import deepcopy
from functools import cache
from typing import Any

from django.db import models
from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from embeddings.api.serializers import EmbeddingSerializer
from embeddings.selectors import embedding_of
from jobs.api.fields import FlagField, NumberField, TextField, WholeNumberField
from jobs.enqueue import Enqueued
from yellowbook.directory.fields import CleanEmailField, LineField, ParagraphField, WebsiteField, with_scheme
from yellowbook.directory.importer import Report
from yellowbook.directory.models import Business, BusinessStatus
from yellowbook.directory.rows import Rejection
from yellowbook.directory.text import TEXT_PATTERN, clean_text, validate_text

AnyField = serializers.Field[Any, Any, Any, Any]


class CleanCharField(TextField):
    """Text, cleaned as the model's fields clean it before its length and characters are checked."""

    pattern = TEXT_PATTERN

    def to_internal_value(self, data: Any) -> str:
        """Return the cleaned text."""
        return clean_text(super().to_internal_value(data))


class CleanEmailCharField(TextField, serializers.EmailField):
    """An email address, cleaned."""

    def to_internal_value(self, data: Any) -> str:
        """Return the cleaned address."""
        return clean_text(super().to_internal_value(data))


class WebsiteCharField(TextField, serializers.URLField):
    """A web address; one without a scheme gets `https://`."""

    def to_internal_value(self, data: Any) -> str:
        """Return the cleaned and completed address."""
        return with_scheme(clean_text(super().to_internal_value(data)))


_EXAMPLE = {
    "external_id": "mn-0042",
    "name": "Номин ресторан",
    "category": "Ресторан",
    "description": "Монгол болон европ хоол, 120 хүний танхимтай.",
    "address": "Энхтайваны өргөн чөлөө 12",
    "city": "Улаанбаатар",
    "phone": "+976 7711 2233",
    "email": "info@nomin.example",
    "website": "https://nomin.example",
    "latitude": 47.9185,
    "longitude": 106.9177,
    "price_level": 2,
    "offers_online": True,
    "status": "published",
}


@extend_schema_serializer(examples=[OpenApiExample("A restaurant", value=_EXAMPLE, request_only=True)])
class BusinessSerializer(serializers.ModelSerializer[Business]):
    """A business as the API shows and takes it. Rules over several fields and rows are the services'."""

    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        LineField: CleanCharField,
        ParagraphField: CleanCharField,
        CleanEmailField: CleanEmailCharField,
        WebsiteField: WebsiteCharField,
        models.BooleanField: FlagField,
        models.FloatField: NumberField,
        models.PositiveSmallIntegerField: WholeNumberField,
    }

    class Meta:
        model = Business
        fields = [
            "id",
            "external_id",
            "name",
            "category",
            "description",
            "address",
            "city",
            "phone",
            "email",
            "website",
            "latitude",
            "longitude",
            "price_level",
            "offers_online",
            "status",
            "created_at",
            "updated_at",
        ]
        extra_kwargs = {
            # Uniqueness is the database's to judge: asking first costs a query and proves nothing.
            "external_id": {"validators": [validate_text]},
            "status": {"error_messages": {"invalid_choice": f"Choose one of {', '.join(BusinessStatus.values)}."}},
        }

    def get_fields(self) -> dict[str, AnyField]:
        """Return copies of fields that are made once: deriving them from the model takes longer than the save."""
        return deepcopy(_fields_of(type(self)))

    def derive_fields(self) -> dict[str, AnyField]:
        """Return the fields as the model and `Meta` say."""
        return super().get_fields()


@cache
def _fields_of(serializer: type[BusinessSerializer]) -> dict[str, AnyField]:
    return serializer().derive_fields()


class EmbeddingJobSerializer(serializers.Serializer[Enqueued]):
    """The job that embeds a saved text; follow it at `/api/admin/jobs/{id}`."""

    id = serializers.UUIDField(source="job_id", read_only=True)
    status = serializers.CharField(read_only=True)
    message = serializers.SerializerMethodField()

    def get_message(self, job: Enqueued) -> str:
        """Say what will happen."""
        if job.created:
            return "The text is embedded in the background."
        return "The text is embedded in the background, by the job that was already waiting."


class SavedBusinessSerializer(BusinessSerializer):
    """A business that was just saved, with the job that this made or joined; null when its text did not change."""

    embedding_job = EmbeddingJobSerializer(read_only=True, allow_null=True)

    class Meta(BusinessSerializer.Meta):
        fields = [*BusinessSerializer.Meta.fields, "embedding_job"]


class ShownBusinessSerializer(BusinessSerializer):
    """A business with its embedding by the model in use; null while there is none."""

    embedding = serializers.SerializerMethodField()

    class Meta(BusinessSerializer.Meta):
        fields = [*BusinessSerializer.Meta.fields, "embedding"]

    @extend_schema_field(EmbeddingSerializer(allow_null=True))
    def get_embedding(self, business: Business) -> dict[str, Any] | None:
        """Tell what is stored, one query."""
        stored = embedding_of(business)
        return None if stored is None else EmbeddingSerializer(stored).data


class RejectionSerializer(serializers.Serializer[Rejection]):
    """A row that was not imported: the line that it begins on, and what is wrong by column (`row`: the line itself)."""

    row = serializers.IntegerField(source="line")

    def get_fields(self) -> dict[str, AnyField]:
        """Add `errors`, a name that the class itself uses otherwise."""
        messages = serializers.ListField(child=serializers.CharField())
        return {**super().get_fields(), "errors": serializers.DictField(child=messages)}


class ReportSerializer(serializers.Serializer[Report]):
    """What an import did. `duplicates` are further rows about a business already counted; the last one wins."""

    created = serializers.IntegerField()
    updated = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    duplicates = serializers.IntegerField()
    rejected = RejectionSerializer(many=True)
    ignored_columns = serializers.ListField(
        child=serializers.CharField(), help_text="Columns of the file that mean nothing here."
    )
    run_id = serializers.UUIDField(allow_null=True, default=None, help_text="The run of the jobs that were made.")


class UploadSerializer(serializers.Serializer[Any]):
    """An import as an HTML form sends it."""

    file = serializers.FileField(help_text="CSV or JSON lines, by its content type or name.")
