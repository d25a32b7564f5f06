"""Catalogues in the admin: sellers and sources to edit, syncs to look at, listings to judge."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import URLField
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.decorators import display
from unfold.widgets import UnfoldAdminURLInputWidget

from jobs.actor import current_actor
from jobs.admin.base import ListedAdmin, ReadOnlyAdmin
from jobs.lifecycle import StateConflict
from yellowbook.catalogue.models import CatalogueSource, Listing, Page, Seller, Sync
from yellowbook.catalogue.stages.compare import told_and_shown
from yellowbook.catalogue.stages.review import approve, reject
from yellowbook.catalogue.stages.why import why
from yellowbook.catalogue.syncing.begin import start_sync
from yellowbook.catalogue.syncing.progress import progress_of

Stage = Listing.Stage
#: An address without a scheme is one of https.
_ADDRESSES = {URLField: {"assume_scheme": "https", "widget": UnfoldAdminURLInputWidget}}
#: Syncs that a catalogue's page shows.
LAST_SYNCS = 10
#: Pages that could not be read that a sync's page shows.
MOST_PAGES = 100
#: The colour of each stage and state; its name is always written out too.
STAGE_COLOURS = {
    **dict.fromkeys((Stage.EMBEDDING.value, Stage.QUALITY.value, Stage.INDEXING.value), "info"),
    **dict.fromkeys((Stage.REVIEW.value, Stage.HELD.value, Stage.VANISHED.value), "warning"),
    **dict.fromkeys((Stage.INVALID.value, Stage.REJECTED.value), "danger"),
    Stage.LIVE.value: "success",
}
STATE_COLOURS = {
    **dict.fromkeys((Sync.State.DISCOVERING.value, Sync.State.READING.value), "info"),
    Sync.State.COMPLETED.value: "success",
    Sync.State.FAILED.value: "danger",
    Sync.State.CANCELLED.value: "warning",
}


@admin.register(Seller)
class SellerAdmin(ListedAdmin):
    """Sellers, by name."""

    list_display = ["name", "tier", "owner", "requests_per_minute", "created_at"]
    list_filter = ["tier"]
    search_fields = ["name"]
    ordering = ["name", "pk"]
    autocomplete_fields = ["owner"]
    formfield_overrides = _ADDRESSES
    exclude = ["webhook_key"]
    readonly_fields = ["created_at"]


@admin.register(CatalogueSource)
class SourceAdmin(ListedAdmin):
    """Catalogues, with the button that syncs one now."""

    list_display = ["url", "seller", "is_active", "last_synced_at", "next_sync_at"]
    list_filter = ["is_active"]
    list_select_related = ["seller"]
    search_fields = ["url", "seller__name"]
    ordering = ["-created_at", "pk"]
    autocomplete_fields = ["seller"]
    formfield_overrides = _ADDRESSES
    readonly_fields = ["last_synced_at", "next_sync_at", "created_at"]
    change_form_outer_before_template = "admin/catalogue/source.html"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show a catalogue with its last syncs."""
        context = dict(extra_context or {})
        source: CatalogueSource | None = self.get_object(request, object_id)
        if source is not None:
            last = source.syncs.order_by("-started_at")[:LAST_SYNCS]
            context |= {"source": source, "syncs": [(sync, progress_of(sync)) for sync in last]}
        response: HttpResponse = super().change_view(request, object_id, form_url, context)
        return response

    def get_urls(self) -> list[URLPattern]:
        """Add the button's address, which takes POST only."""
        now = self.admin_site.admin_view(require_POST(self.sync_view))
        return [path("<uuid:source_id>/sync/", now, name="source_sync"), *super().get_urls()]

    def sync_view(self, request: HttpRequest, source_id: UUID) -> HttpResponse:
        """Start a sync, or say that one is under way."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        source = get_object_or_404(CatalogueSource, pk=source_id)
        _sync, new = start_sync(source, actor=current_actor())
        if new:
            self.log_change(request, source, "sync started")
            self.message_user(request, gettext("The catalogue is being synced."), messages.SUCCESS)
        else:
            self.message_user(request, gettext("A sync of it is under way already."), messages.WARNING)
        return HttpResponseRedirect(reverse("admin:catalogue_cataloguesource_change", args=[source_id]))


@admin.register(Sync)
class SyncAdmin(ReadOnlyAdmin):
    """Syncs, the newest first."""

    list_display = [
        "source",
        "shown_state",
        "new",
        "changed",
        "unchanged",
        "vanished",
        "rejected",
        "started_at",
        "finished_at",
    ]
    list_filter = ["state"]
    list_select_related = ["source"]
    ordering = ["-started_at", "pk"]
    fieldsets = [(None, {"fields": ["source", "requested_by", "started_at", "finished_at", "robots"]})]
    change_form_outer_before_template = "admin/catalogue/sync.html"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show a sync with its summary, and the pages that could not be read."""
        context = dict(extra_context or {})
        sync: Sync | None = self.get_object(request, object_id)
        if sync is not None:
            failed = Page.objects.filter(sync=sync, state=Page.State.FAILED).order_by("url")
            context |= {"sync": sync, "progress": progress_of(sync), "failed": failed[:MOST_PAGES]}
        response: HttpResponse = super().change_view(request, object_id, form_url, context)
        return response

    @display(description=_("state"), ordering="state", label=STATE_COLOURS)
    def shown_state(self, sync: Sync) -> tuple[str, str]:
        """Return the state, coloured."""
        return sync.state, sync.get_state_display()


@admin.register(Listing)
class ListingAdmin(ReadOnlyAdmin):
    """What was read of catalogues; those in review wait for a person."""

    list_display = ["name", "shown_stage", "reason", "source", "created_at", "updated_at"]
    list_filter = ["stage"]
    list_select_related = ["source"]
    search_fields = ["name"]
    ordering = ["-created_at", "pk"]
    fieldsets = [
        (None, {"fields": ["source", "page", "external_id", "business"]}),
        (_("Times"), {"fields": ["created_at", "updated_at", "missed"]}),
    ]
    change_form_outer_before_template = "admin/catalogue/listing.html"

    @display(description=_("stage"), ordering="stage", label=STAGE_COLOURS)
    def shown_stage(self, listing: Listing) -> tuple[str, str]:
        """Return the stage, coloured."""
        return listing.stage, listing.get_stage_display()

    def has_judge_permission(self, request: HttpRequest) -> bool:
        """Tell whether the user may decide about listings."""
        return request.user.has_perm("catalogue.change_listing")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show a listing, why it is not live, and the buttons to judge it."""
        context = dict(extra_context or {})
        listing: Listing | None = self.get_object(request, object_id)
        if listing is not None:
            context |= {
                "listing": listing,
                "title": listing.name,
                "why": why(listing),
                "values": told_and_shown(listing),
                "can_judge": self.has_judge_permission(request) and listing.stage in {Stage.REVIEW, Stage.REJECTED},
            }
        response: HttpResponse = super().change_view(request, object_id, form_url, context)
        return response

    def get_urls(self) -> list[URLPattern]:
        """Add the buttons' addresses, which take POST only."""
        wrap = self.admin_site.admin_view
        return [
            path("<uuid:listing_id>/approve/", wrap(require_POST(self.approve_view)), name="listing_approve"),
            path("<uuid:listing_id>/reject/", wrap(require_POST(self.reject_view)), name="listing_reject"),
            *super().get_urls(),
        ]

    def approve_view(self, request: HttpRequest, listing_id: UUID) -> HttpResponse:
        """Have a listing published."""
        return self._judge(request, listing_id, approve, gettext("It is being published."))

    def reject_view(self, request: HttpRequest, listing_id: UUID) -> HttpResponse:
        """Keep a listing out of sight."""
        return self._judge(request, listing_id, reject, gettext("It stays out of sight."))

    def _judge(
        self, request: HttpRequest, listing_id: UUID, decide: Callable[..., Listing], told: str
    ) -> HttpResponseRedirect:
        if not self.has_judge_permission(request):
            raise PermissionDenied
        get_object_or_404(Listing, pk=listing_id)
        try:
            decide(listing_id, by=request.user.get_username(), note=request.POST.get("note", "")[:1_000])
        except StateConflict:
            self.message_user(request, gettext("Somebody else has decided about it meanwhile."), messages.WARNING)
        else:
            self.message_user(request, told, messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:catalogue_listing_change", args=[listing_id]))
