"""JSON form of what is known of a business."""

from typing import Any, Final

from rest_framework import serializers

from jobs.api.fields import TextField
from jobs.enqueue import Enqueued
from yellowbook.directory.models import Business
from yellowbook.directory.text import TEXT_PATTERN
from yellowbook.enrichment.cleaning import MOST_EDITOR_TAGS
from yellowbook.enrichment.hours import DAYS
from yellowbook.enrichment.models import TAG_LENGTH, Enrichment
from yellowbook.enrichment.prompts import PROMPTS
from yellowbook.enrichment.selectors import Known, Standing, State
from yellowbook.enrichment.services import BOTH, Processing
from yellowbook.enrichment.vocabulary import labels


class TagSerializer(serializers.Serializer[str]):
    """A tag, and what it is called; one that the vocabulary lacks is called as it is."""

    tag = serializers.CharField(help_text="What `tag` of a search takes.")
    label_mn = serializers.CharField()
    label_en = serializers.CharField()

    def to_representation(self, instance: str) -> dict[str, Any]:
        """Name it."""
        mongolian, english = labels(instance)
        return {"tag": instance, "label_mn": mongolian, "label_en": english}


_MADE: Final = ("summary_mn", "summary_en", "maker", "model", "prompt_version", "blocked_reason", "enriched_at")


class EnrichmentSerializer(serializers.ModelSerializer[Enrichment]):
    """What the model or the rules made."""

    tags = serializers.SerializerMethodField(help_text="Whether or not they stand: an editor's come before.")
    opening_hours = serializers.DictField(
        child=serializers.ListField(child=serializers.ListField(child=serializers.CharField())),
        allow_null=True,
        help_text=(
            f"By day ({', '.join(DAYS)}): spans of opening and closing time; a day that is missing is closed."
            " Null: not known."
        ),
    )

    class Meta:
        model = Enrichment
        fields = ["tags", "opening_hours", *_MADE]
        extra_kwargs = {
            "maker": {"help_text": "`rules`: without a key, or where the model refused to answer."},
            "blocked_reason": {"help_text": "Why the model refused; else empty."},
        }

    def get_tags(self, enrichment: Enrichment) -> list[str]:
        """Return all of them, those of the vocabulary first."""
        return [*enrichment.tags, *enrichment.free_tags]


class KnownSerializer(serializers.Serializer[tuple[Business, Known, Standing]]):
    """What is known of a business, and whether more is to come."""

    business_id = serializers.UUIDField()
    text_hash = serializers.CharField(help_text="Of the present text; `previous_text_hash` of a request to process it.")
    tags = TagSerializer(many=True, help_text="Those that stand.")
    editor_tags = serializers.ListField(
        child=serializers.CharField(), allow_null=True, help_text="Null: no editor gave any, and those made stand."
    )
    enrichment = EnrichmentSerializer(allow_null=True, help_text="Null before anything was made.")
    state = serializers.ChoiceField(
        choices=[state.value for state in State],
        help_text="Of the present text: `done`, `waiting`, `delayed` (`why` says by what), or `none`.",
    )
    why = serializers.CharField(allow_blank=True)
    next_attempt_at = serializers.DateTimeField(allow_null=True)

    def to_representation(self, instance: tuple[Business, Known, Standing]) -> dict[str, Any]:
        """Put it together."""
        business, known, standing = instance
        told = {
            "business_id": business.pk,
            "text_hash": business.text_hash,
            "tags": known.tags,
            "editor_tags": known.editor.tags if known.editor else None,
            "enrichment": known.enrichment,
            "state": standing.state,
            "why": standing.why,
            "next_attempt_at": standing.next_attempt_at,
        }
        return super().to_representation(told)  # type: ignore[arg-type]


class TagText(TextField):
    """A tag, as an editor writes it."""

    pattern = TEXT_PATTERN


class EditorTagsSerializer(serializers.Serializer[dict[str, Any]]):
    """The tags that stand from now on."""

    tags = serializers.ListField(
        child=TagText(min_length=1, max_length=TAG_LENGTH),
        max_length=MOST_EDITOR_TAGS,
        allow_null=True,
        help_text="Names of the vocabulary, or free ones; null: those that are made stand again.",
    )


class ProcessRequestSerializer(serializers.Serializer[dict[str, Any]]):
    """What to do with a business."""

    jobs = serializers.ListField(
        child=serializers.ChoiceField(choices=list(BOTH)),
        default=list(BOTH),
        min_length=1,
        max_length=len(BOTH),
        help_text="One of both, or both.",
    )
    previous_text_hash = TextField(
        required=False,
        min_length=64,
        max_length=64,
        help_text="Hash of the text that you have seen processed: where it is still the same, nothing is made.",
    )
    prompt_version = serializers.ChoiceField(
        choices=list(PROMPTS), required=False, help_text="Of the enrichment; else the one in use."
    )


class ProcessJobSerializer(serializers.Serializer[Enqueued]):
    """A job that was made or joined; follow it at `/api/admin/jobs/{id}`."""

    id = serializers.UUIDField(source="job_id")
    status = serializers.CharField()
    created = serializers.BooleanField(help_text="False: it waited already.")


class ProcessedSerializer(serializers.Serializer[Processing]):
    """The jobs; null for one that was not asked for, or has nothing to do."""

    embedding_job = ProcessJobSerializer(source="embedding", allow_null=True)
    enrichment_job = ProcessJobSerializer(source="enrichment", allow_null=True)
