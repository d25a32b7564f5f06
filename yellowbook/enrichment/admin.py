"""What was made of businesses in the admin: a list, the forms on a business's page, and previews of runs."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from unfold.decorators import display

from jobs.actor import current_actor
from jobs.admin.base import ReadOnlyAdmin
from jobs.runs import RunActive
from jobs.runs.forecast import forecast_new
from yellowbook.directory.descriptions import label_of
from yellowbook.directory.models import Business
from yellowbook.enrichment import services
from yellowbook.enrichment.feed import EnrichmentFeed
from yellowbook.enrichment.forms import EnrichmentRunForm
from yellowbook.enrichment.models import Enrichment, Preview, PreviewSample
from yellowbook.enrichment.names import ENRICH_BUSINESS
from yellowbook.enrichment.preview import begin_preview, waiting


@admin.register(Enrichment)
class EnrichmentAdmin(ReadOnlyAdmin):
    """What was made, the newest first."""

    list_display = ["business", "shown_tags", "maker", "prompt_version", "blocked_reason", "enriched_at"]
    list_filter = ["maker", "prompt_version"]
    search_fields = ["business__name"]
    ordering = ["-enriched_at"]
    list_before_template = "admin/enrichment/list.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Enrichment]:
        """Return them with their businesses."""
        rows: QuerySet[Enrichment] = super().get_queryset(request)
        return rows.select_related("business")

    @display(description=gettext_lazy("tags"))
    def shown_tags(self, enrichment: Enrichment) -> str:
        """Return the tags that were made."""
        return ", ".join([*enrichment.tags, *enrichment.free_tags])

    def get_urls(self) -> list[URLPattern]:
        """Add previews, and the addresses of the forms on a business's page, which take POST only."""
        wrap = self.admin_site.admin_view
        enrich, tags = wrap(require_POST(self.enrich_view)), wrap(require_POST(self.tags_view))
        return [
            path("preview/", wrap(self.ask_view), name="enrichment_ask"),
            path("preview/<uuid:preview_id>/", wrap(self.preview_view), name="enrichment_preview"),
            path("<uuid:business_id>/enrich/", enrich, name="enrichment_enrich"),
            path("<uuid:business_id>/tags/", tags, name="enrichment_tags"),
            *super().get_urls(),
        ]

    def ask_view(self, request: HttpRequest) -> HttpResponse:
        """Ask for the options of a run, and have samples of it made."""
        self._may_steer(request)
        form = EnrichmentRunForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            preview = begin_preview(form.options(), actor=current_actor())
            return HttpResponseRedirect(reverse("admin:enrichment_preview", args=[preview.pk]))
        context = {"title": _("Preview a run"), "form": form, "opts": self.opts}
        return TemplateResponse(
            request, "admin/enrichment/ask.html", {**self.admin_site.each_context(request), **context}
        )

    def preview_view(self, request: HttpRequest, preview_id: UUID) -> HttpResponse:
        """Show samples side by side, with what the run would come to; start it."""
        self._may_steer(request)
        preview = get_object_or_404(Preview, pk=preview_id)
        if request.method == "POST":
            return self._start(request, preview)
        estimate = EnrichmentFeed().estimate(preview.options)
        context = {
            "title": _("Preview of %(version)s") % {"version": preview.prompt_version},
            "opts": self.opts,
            "samples": [_compared(sample) for sample in preview.samples.select_related("business")],
            "waiting": waiting(preview),
            "estimate": estimate,
            "forecast": forecast_new(ENRICH_BUSINESS, estimate.texts, estimate.tokens),
        }
        return TemplateResponse(
            request, "admin/enrichment/preview.html", {**self.admin_site.each_context(request), **context}
        )

    def _start(self, request: HttpRequest, preview: Preview) -> HttpResponseRedirect:
        try:
            run = services.enrich_all(preview.options, actor=current_actor())
        except RunActive as active:
            self.message_user(request, str(active), messages.WARNING)
            run = active.run
        else:
            self.log_addition(request, run, "started")
            self.message_user(request, _("The run has begun."), messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:jobs_run_change", args=[run.pk]))

    def _may_steer(self, request: HttpRequest) -> None:
        if not (self.has_view_permission(request) and request.user.has_perm("jobs.steer_run")):
            raise PermissionDenied

    def enrich_view(self, request: HttpRequest, business_id: UUID) -> HttpResponseRedirect:
        """Have one business enriched, and show it again."""
        business = self._business(request, business_id)
        try:
            services.enqueue_enrichment(business, triggered_by=current_actor().triggered_by)
        except services.NotPossible:
            self.message_user(request, _("Only published businesses are enriched."), messages.WARNING)
        else:
            self.log_change(request, business, "enrich")
            self.message_user(request, _("It is enriched in the background."), messages.SUCCESS)
        return _back(business_id)

    def tags_view(self, request: HttpRequest, business_id: UUID) -> HttpResponseRedirect:
        """Have an editor's tags stand, or take them back, and show the business again."""
        business = self._business(request, business_id)
        typed = [each.strip() for each in request.POST.get("tags", "").split(",")]
        tags = None if "take_back" in request.POST else [each for each in typed if each]
        try:
            services.set_editor_tags(business.pk, tags, edited_by=request.user.get_username())
        except ValidationError as error:
            self.message_user(request, " ".join(error.messages), messages.ERROR)
        else:
            self.log_change(request, business, "tags taken back" if tags is None else "tags set")
            self.message_user(request, _("The tags are stored."), messages.SUCCESS)
        return _back(business_id)

    def _business(self, request: HttpRequest, business_id: UUID) -> Business:
        if not request.user.has_perm("directory.change_business"):
            raise PermissionDenied
        return get_object_or_404(Business, pk=business_id)


def _back(business_id: UUID) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("admin:directory_business_change", args=[business_id]))


def _compared(sample: PreviewSample) -> dict[str, Any]:
    """Return a sample with the labels of its tags in the reader's language."""
    return {"business": sample.business, "before": _labelled(sample.before), "after": _labelled(sample.after)}


def _labelled(made: dict[str, Any] | None) -> dict[str, Any] | None:
    return made and {**made, "tags": ", ".join(label_of(tag) for tag in made["tags"])}
