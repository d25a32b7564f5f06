"""Businesses in the admin, with the state of their embedding."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.decorators import action, display

from embeddings.current import current_model
from embeddings.selectors import describe, with_state
from embeddings.services import embed_many
from jobs.actor import current_actor
from jobs.admin.base import DescribedPages
from jobs.admin.jobs import STATUS_COLOURS
from yellowbook.directory import selectors, services
from yellowbook.directory.models import Business, BusinessStatus
from yellowbook.directory.panels import panels

#: The colour of each state of an embedding; its name is always written out too.
EMBEDDING_COLOURS = {
    gettext_noop("fresh"): "success",
    gettext_noop("stale"): "warning",
    gettext_noop("missing"): "danger",
}


@admin.register(Business)
class BusinessAdmin(DescribedPages):
    """Businesses; the jobs of a save are made by the model's signals."""

    list_display = ["name", "category", "city", "shown_status", "shown_embedding", "shown_job", "updated_at"]
    list_filter = ["status", "offers_online", "price_level"]
    search_fields = ["name"]
    search_help_text = _("Any part of the name")
    ordering = ["name", "id"]
    actions = ["embed_now"]
    readonly_fields = ["id", "created_at", "updated_at"]
    change_form_outer_before_template = "admin/directory/panels.html"
    fieldsets = [
        (None, {"fields": ["name", "category", "description", "address", "city", "status"]}),
        (_("Contact"), {"fields": ["phone", "email", "website"]}),
        (_("Details"), {"fields": ["price_level", "offers_online", "latitude", "longitude", "external_id"]}),
        (_("Record"), {"fields": ["id", "created_at", "updated_at"]}),
    ]

    def described(self, rows: QuerySet[Business]) -> QuerySet[Business]:
        """Return businesses with the state of their embedding and of their newest job."""
        return with_state(rows)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Business], search_term: str
    ) -> tuple[QuerySet[Business], bool]:
        """Find by name, in any alphabet."""
        return selectors.named_like(queryset, search_term), False

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Business]) -> None:
        """Delete the selected businesses with their vectors and waiting jobs."""
        Business.objects.filter(pk__in=list(queryset.values_list("pk", flat=True))).delete()

    @display(
        description=_("status"),
        ordering="status",
        label={
            BusinessStatus.PUBLISHED: "success",
            BusinessStatus.PENDING: "warning",
            BusinessStatus.DRAFT: "info",
            BusinessStatus.UNPUBLISHED: "default",
        },
    )
    def shown_status(self, business: Business) -> tuple[str, str]:
        """Return the status, coloured."""
        return business.status, business.get_status_display()

    @display(description=_("embedding"), label=EMBEDDING_COLOURS)
    def shown_embedding(self, business: Any) -> tuple[str, str]:
        """Return whether the business has a vector of its present text."""
        state = "fresh" if business.is_fresh else "stale" if business.is_stale else "missing"
        return state, gettext(state)

    @display(description=_("last job"), label=STATUS_COLOURS)
    def shown_job(self, business: Any) -> tuple[str, str] | str:
        """Return the state of the newest embedding job."""
        return (business.job_status, gettext(business.job_status)) if business.job_status else ""

    @action(description=_("Embed now"), permissions=["change"])
    def embed_now(self, request: HttpRequest, queryset: QuerySet[Business]) -> None:
        """Make sure that an urgent job waits for each selected business."""
        bulk = embed_many(list(queryset.values_list("pk", flat=True)), priority="high", actor=current_actor())
        told = (
            gettext("%(made)s jobs made. %(waited)s waited already.")
            if bulk.skipped
            else gettext("%(made)s jobs made.")
        )
        self.message_user(request, told % {"made": bulk.queued, "waited": bulk.skipped}, messages.SUCCESS)

    def get_urls(self) -> list[URLPattern]:
        """Add the address of the button on a business's page; it takes POST only."""
        embed = self.admin_site.admin_view(require_POST(self.embed_view))
        return [path("<uuid:business_id>/embed/", embed, name="business_embed"), *super().get_urls()]

    def embed_view(self, request: HttpRequest, business_id: UUID) -> HttpResponseRedirect:
        """Make an urgent job for one business and show it again."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        business = get_object_or_404(Business, pk=business_id)
        self.embed_now(request, Business.objects.filter(pk=business.pk))
        self.log_change(request, business, "embed now")
        return HttpResponseRedirect(reverse("admin:directory_business_change", args=[business_id]))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show a business with its embedding, its latest jobs, and what other features tell of it."""
        context = dict(extra_context or {})
        business = self.get_object(request, object_id)
        if business is not None:
            context |= {"embedding": describe(business), "current_model": current_model(), "business": business}
            context["panels"] = [(panel.template, panel.describe(request, business)) for panel in panels()]
        response: HttpResponse = super().change_view(request, object_id, form_url, context)
        return response

    def delete_model(self, request: HttpRequest, obj: Business) -> None:
        """Delete a business with its vectors and waiting jobs."""
        services.delete_business(obj.pk)
