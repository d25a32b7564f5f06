"""JSON forms of sellers, sources, syncs and listings."""

from typing import Any, ClassVar

from django.contrib.auth import get_user_model
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from jobs.api.fields import FlagField, TextField, TextUUIDField, WholeNumberField
from yellowbook.catalogue.fetch.addresses import checked_url
from yellowbook.catalogue.fetch.errors import Refused
from yellowbook.catalogue.models import CatalogueSource, Listing, Seller, Sync
from yellowbook.catalogue.stages.why import Owner, why
from yellowbook.catalogue.syncing.progress import progress_of
from yellowbook.directory.api.serializers import CleanCharField, CleanEmailCharField


class UserField(TextField):
    """A user by name."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """Return the user of that name."""
        name = super().run_validation(data)
        if name is None:
            return None
        model = get_user_model()
        user = model._default_manager.filter(**{model.USERNAME_FIELD: name}).first()
        if user is None:
            raise serializers.ValidationError("There is no such user.")
        return user

    def to_representation(self, value: Any) -> str:
        """Return the user's name."""
        return str(value.get_username())


def _fetchable(url: str) -> str:
    """Return an address in its normal form; which network it leads to is looked at when it is used."""
    try:
        return str(checked_url(url, allow_private=True))
    except Refused as error:
        raise serializers.ValidationError(str(error)) from None


class SellerSerializer(serializers.ModelSerializer[Seller]):
    """A seller."""

    name = CleanCharField(max_length=200)
    contact = CleanCharField(max_length=300, required=False, allow_blank=True)
    owner = UserField(required=False, allow_null=True, max_length=150, help_text="Sees it with a token of its own.")
    webhook_url = TextField(max_length=1_000, required=False, allow_blank=True, help_text="Told of every sync.")
    notification_email = CleanEmailCharField(max_length=254, required=False, allow_blank=True)
    requests_per_minute = WholeNumberField(required=False, min_value=1, max_value=6_000)

    class Meta:
        model = Seller
        fields: ClassVar = [
            "id",
            "name",
            "owner",
            "contact",
            "tier",
            "webhook_url",
            "notification_email",
            "requests_per_minute",
            "created_at",
        ]
        read_only_fields: ClassVar = ["created_at"]

    def validate_webhook_url(self, url: str) -> str:
        """Refuse what nothing could ever be sent to."""
        return _fetchable(url) if url else url


class CatalogueSourceSerializer(serializers.ModelSerializer[CatalogueSource]):
    """A catalogue on the web: a site, a page, a sitemap or a feed."""

    seller_id = TextUUIDField()
    url = TextField(max_length=1_000)
    interval_hours = WholeNumberField(required=False, min_value=1, max_value=8_760)
    needs_javascript = FlagField(required=False)
    is_active = FlagField(required=False, help_text="Whether it is synced by itself.")

    class Meta:
        model = CatalogueSource
        fields: ClassVar = [
            "id",
            "seller_id",
            "url",
            "interval_hours",
            "needs_javascript",
            "is_active",
            "last_synced_at",
            "next_sync_at",
            "created_at",
        ]
        read_only_fields: ClassVar = ["last_synced_at", "next_sync_at", "created_at"]

    def validate_url(self, url: str) -> str:
        """Refuse what no sync could ever fetch."""
        return _fetchable(url)

    def validate_seller_id(self, seller_id: Any) -> Any:
        """Refuse a seller that is not there."""
        if not Seller.objects.filter(pk=seller_id).exists():
            raise serializers.ValidationError("There is no such seller.")
        return seller_id

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse a second source of one address."""
        seller = attrs.get("seller_id") or (self.instance.seller_id if self.instance else None)
        url = attrs.get("url") or (self.instance.url if self.instance else None)
        same = CatalogueSource.objects.filter(seller=seller, url=url)
        if (same.exclude(pk=self.instance.pk) if self.instance else same).exists():
            raise serializers.ValidationError({"url": ["The seller has this catalogue already."]})
        return attrs


class SyncSerializer(serializers.ModelSerializer[Sync]):
    """One going over a source: how far it has come, and what became of the listings."""

    source_id = serializers.UUIDField()
    pages = serializers.SerializerMethodField()
    progress_percentage = serializers.SerializerMethodField()

    class Meta:
        model = Sync
        fields: ClassVar = [
            "id",
            "source_id",
            "state",
            "requested_by",
            "pages",
            "progress_percentage",
            "new",
            "changed",
            "unchanged",
            "vanished",
            "rejected",
            "error",
            "started_at",
            "finished_at",
        ]

    @extend_schema_field(serializers.DictField(child=serializers.IntegerField()))
    def get_pages(self, sync: Sync) -> dict[str, int]:
        """Return how many pages there are, by state."""
        return progress_of(sync).pages

    def get_progress_percentage(self, sync: Sync) -> float:
        """Return the share of the pages found so far that are done."""
        return progress_of(sync).percentage


class WhySerializer(serializers.Serializer[Any]):
    """Where a listing is, and whose the next step is."""

    stage = serializers.ChoiceField(choices=Listing.Stage.choices)
    reason = serializers.CharField()
    owner = serializers.ChoiceField(choices=[(owner.value, owner.value) for owner in Owner])
    next_attempt_at = serializers.DateTimeField(allow_null=True)


class ListingSerializer(serializers.ModelSerializer[Listing]):
    """A business as a source tells of it."""

    source_id = serializers.UUIDField()
    business_id = serializers.UUIDField(allow_null=True)

    class Meta:
        model = Listing
        fields: ClassVar = [
            "id",
            "source_id",
            "external_id",
            "business_id",
            "name",
            "stage",
            "reason",
            "missed",
            "provenance",
            "verdict",
            "created_at",
            "updated_at",
        ]


class ListingDetailSerializer(ListingSerializer):
    """A listing with what its page says, and why it is not live."""

    why = serializers.SerializerMethodField()

    class Meta(ListingSerializer.Meta):
        fields: ClassVar = [*ListingSerializer.Meta.fields, "told", "why"]

    @extend_schema_field(WhySerializer)
    def get_why(self, listing: Listing) -> dict[str, Any]:
        """Answer the question."""
        return dict(WhySerializer(why(listing)).data)


class JudgementSerializer(serializers.Serializer[Any]):
    """A person's decision."""

    note = TextField(required=False, default="", max_length=1_000, allow_blank=True)
