"""JSON forms of collections and sets."""

from typing import Any, ClassVar

from rest_framework import serializers

from jobs.api.fields import DayField, FlagField, TextField, WholeNumberField
from jobs.enqueue import Enqueued
from yellowbook.curation.days import FURTHEST, today, within_reach
from yellowbook.curation.models import Collection, CollectionSet
from yellowbook.curation.parameters import MOST_BUSINESSES, MOST_COLLECTIONS, Parameters
from yellowbook.curation.selectors import Shown, State, collections_of, standing_of
from yellowbook.curation.services import Regeneration
from yellowbook.curation.surfaces import HOME, SURFACES
from yellowbook.directory.api.serializers import BusinessSerializer
from yellowbook.directory.text import TEXT_PATTERN


class LineText(TextField):
    """A text of one line."""

    pattern = TEXT_PATTERN


class SurfaceQuerySerializer(serializers.Serializer[dict[str, str]]):
    """Whose collections to show."""

    surface = serializers.ChoiceField(choices=list(SURFACES), default=HOME)


class CollectionSerializer(serializers.Serializer[Shown]):
    """One collection, with those of its businesses that are published."""

    id = serializers.UUIDField(source="collection.id")
    title_mn = serializers.CharField(source="collection.title_mn")
    title_en = serializers.CharField(source="collection.title_en")
    titled_by = serializers.ChoiceField(choices=Collection.TitledBy.choices, source="collection.titled_by")
    theme = serializers.ChoiceField(choices=Collection.Theme.choices, source="collection.theme")
    businesses = BusinessSerializer(many=True)


class ShownSetSerializer(serializers.Serializer[Any]):
    """What a surface shows now."""

    surface = serializers.CharField()
    date = serializers.DateField(allow_null=True, help_text="Null, and no collections, before any were made.")
    is_todays = serializers.BooleanField(help_text="False: they are yesterday's, until today's are made.")
    made_at = serializers.DateTimeField(allow_null=True)
    collections = CollectionSerializer(many=True)


class NarrowedSerializer(serializers.Serializer[dict[str, Any]]):
    """Which businesses may be chosen: those that have all of these."""

    category = LineText(min_length=1, max_length=100, required=False, help_text="Exactly this category.")
    city = LineText(min_length=1, max_length=100, required=False, help_text="Exactly this city.")
    price_level = WholeNumberField(min_value=1, max_value=4, required=False)
    tag = LineText(min_length=1, max_length=40, required=False, help_text="With this tag, by its name.")
    featured = FlagField(required=False, help_text="True: only those that editors put forward.")


class RegenerateSerializer(serializers.Serializer[dict[str, Any]]):
    """What to make; what is not given is as on every day."""

    surface = serializers.ChoiceField(choices=list(SURFACES))
    date = DayField(required=False, help_text=f"A day of UTC, at most {FURTHEST} days from today; today unless given.")
    collections_count = WholeNumberField(min_value=1, max_value=MOST_COLLECTIONS, required=False)
    businesses_per_collection = WholeNumberField(min_value=1, max_value=MOST_BUSINESSES, required=False)
    filters = NarrowedSerializer(required=False)

    def validate_date(self, day: Any) -> Any:
        """Refuse a day that nobody will look at."""
        if not within_reach(day):
            raise serializers.ValidationError(f"Give a day at most {FURTHEST} days from today.")
        return day

    def asked(self) -> dict[str, Any]:
        """Return what `services.regenerate` takes."""
        given = dict(self.validated_data)
        surface, day = given.pop("surface"), given.pop("date", None) or today()
        return {"surface": surface, "day": day, "parameters": Parameters.model_validate(given)}


class ParametersSerializer(serializers.Serializer[dict[str, Any]]):
    """What a set is made by."""

    collections_count = serializers.IntegerField()
    businesses_per_collection = serializers.IntegerField()
    filters = NarrowedSerializer()


class CollectionSetSerializer(serializers.ModelSerializer[CollectionSet]):
    """A set, as lists show it."""

    is_ready = serializers.SerializerMethodField(help_text="Whether it shows what was asked for last.")
    parameters = ParametersSerializer()

    class Meta:
        model = CollectionSet
        fields: ClassVar = [
            *("id", "surface", "date", "is_ready", "made_at", "parameters"),
            *("model", "titles_model", "note", "requested_by", "created_at"),
        ]
        extra_kwargs: ClassVar = {
            "made_at": {"help_text": "Null before anything was made."},
            "model": {"help_text": "Whose vectors the clusters are of."},
            "titles_model": {"help_text": "The one that was asked for titles; empty: none was."},
            "note": {"help_text": "Why titles are from templates although a model was asked; else empty."},
        }

    def get_is_ready(self, row: CollectionSet) -> bool:
        """Tell whether there is nothing to do."""
        return row.made == row.wanted


class ShownCollectionSetSerializer(CollectionSetSerializer):
    """A set with its collections, and where it stands."""

    state = serializers.ChoiceField(choices=[state.value for state in State])
    why = serializers.CharField(help_text="What it is delayed by, or why its titles are from templates.")
    next_attempt_at = serializers.DateTimeField(allow_null=True)
    job_id = serializers.UUIDField(allow_null=True, help_text="Of the job that makes it, or failed to.")
    collections = CollectionSerializer(source="collections_shown", many=True, help_text="Those that were made last.")

    class Meta(CollectionSetSerializer.Meta):
        fields: ClassVar = [
            *CollectionSetSerializer.Meta.fields,
            *("state", "why", "next_attempt_at", "job_id", "collections"),
        ]

    def to_representation(self, instance: CollectionSet) -> dict[str, Any]:
        """Add what is not in its row."""
        told: Any = instance
        standing = standing_of(instance)
        for name in ("state", "why", "next_attempt_at", "job_id"):
            setattr(told, name, getattr(standing, name))
        told.collections_shown = collections_of(CollectionSet.objects.filter(pk=instance.pk))
        return super().to_representation(told)


class CurationJobSerializer(serializers.Serializer[Enqueued]):
    """The job that was made or joined; follow it at `/api/admin/jobs/{id}`."""

    id = serializers.UUIDField(source="job_id")
    status = serializers.CharField()
    created = serializers.BooleanField(help_text="False: it waited already.")


class RegenerationSerializer(serializers.Serializer[Regeneration]):
    """What was asked for."""

    set = CollectionSetSerializer(source="collection_set")
    job = CurationJobSerializer()
