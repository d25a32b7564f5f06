"""Sets of collections in the admin, to look at and to have made anew; rules and featured businesses, to edit."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop
from unfold.decorators import display

from jobs.actor import current_actor
from jobs.admin.base import ListedAdmin, ReadOnlyAdmin
from yellowbook.curation import services
from yellowbook.curation.days import today
from yellowbook.curation.forms import RegenerateForm, RuleForm
from yellowbook.curation.models import CollectionSet, FeaturedBusiness, Rule
from yellowbook.curation.selectors import collections_of, standing_of
from yellowbook.curation.surfaces import HOME, SURFACES, title_of

#: The colour of each state; its name is always written out too.
STATE_COLOURS = {gettext_noop("ready"): "success", gettext_noop("to be made"): "warning"}


@admin.register(CollectionSet)
class CollectionSetAdmin(ReadOnlyAdmin):
    """Sets, the newest day first."""

    list_display = ["shown_surface", "date", "shown_state", "shown_number", "made_at", "shown_note", "requested_by"]
    list_filter = ["date"]
    ordering = ["-date", "surface"]
    exclude = ["surface", "note"]
    readonly_fields = ["shown_surface", "shown_note"]
    list_before_template = "admin/curation/list.html"
    change_form_outer_before_template = "admin/curation/set.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[CollectionSet]:
        """Return them with the number of their collections."""
        rows: QuerySet[CollectionSet] = super().get_queryset(request)
        return rows.annotate(number=Count("collections"))

    @display(description=gettext_lazy("surface"), ordering="surface")
    def shown_surface(self, row: CollectionSet) -> str:
        """Return what the surface is called."""
        return title_of(row.surface)

    @display(description=gettext_lazy("state"), label=STATE_COLOURS)
    def shown_state(self, row: CollectionSet) -> tuple[str, str]:
        """Return whether it shows what was asked for last; its page says what is in the way."""
        state = "ready" if row.made == row.wanted else "to be made"
        return state, _(state)

    @display(description=gettext_lazy("collections"), ordering="number")
    def shown_number(self, row: Any) -> int:
        """Return how many there are."""
        return int(row.number)

    @display(description=gettext_lazy("note"))
    def shown_note(self, row: CollectionSet) -> str:
        """Return the note in the reader's language."""
        return _(row.note) if row.note else "-"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show a set with its collections, and where it stands."""
        context = dict(extra_context or {})
        row = self.get_object(request, object_id)
        if row is not None and self.has_view_permission(request, row):
            standing = standing_of(row)
            context |= {
                "set": row,
                "standing": standing,
                "state": _(standing.state),
                "why": _(standing.why) if standing.why else "",
                "shown": collections_of(CollectionSet.objects.filter(pk=row.pk)),
            }
        response: HttpResponse = super().change_view(request, object_id, form_url, context)
        return response

    def get_urls(self) -> list[URLPattern]:
        """Add the page that asks how to make a set anew."""
        regenerate = self.admin_site.admin_view(self.regenerate_view)
        return [path("regenerate/", regenerate, name="curation_regenerate"), *super().get_urls()]

    def regenerate_view(self, request: HttpRequest) -> HttpResponse:
        """Ask how, and have a set made."""
        if not request.user.has_perm("curation.regenerate_collectionset"):
            raise PermissionDenied
        surface = request.GET.get("surface", HOME)
        initial = {"surface": surface if surface in SURFACES else HOME, "date": request.GET.get("date") or today()}
        form = RegenerateForm(request.POST or None, initial=initial)
        if request.method == "POST" and form.is_valid():
            row = services.regenerate(**form.asked(), actor=current_actor()).collection_set
            self.log_change(request, row, "make anew")
            self.message_user(request, _("It is made in the background."), messages.SUCCESS)
            return HttpResponseRedirect(reverse("admin:curation_collectionset_change", args=[row.pk]))
        context = {"title": _("Make collections"), "form": form, "opts": self.opts}
        return TemplateResponse(
            request, "admin/curation/regenerate.html", {**self.admin_site.each_context(request), **context}
        )


@admin.register(Rule)
class RuleAdmin(ListedAdmin):
    """Rules, in the order in which they come."""

    form = RuleForm
    list_display = ["shown_title", "shown_surface", "occasion", "active_from", "active_until", "is_active", "position"]
    list_filter = ["is_active"]
    search_fields = ["title_mn", "title_en"]
    ordering = ["position", "created_at", "pk"]

    @display(description=gettext_lazy("title"))
    def shown_title(self, rule: Rule) -> str:
        """Return both titles."""
        return f"{rule.title_mn} / {rule.title_en}"

    @display(description=gettext_lazy("surface"), ordering="surface")
    def shown_surface(self, rule: Rule) -> str:
        """Return where it is shown."""
        return title_of(rule.surface) if rule.surface else _("everywhere")


@admin.register(FeaturedBusiness)
class FeaturedBusinessAdmin(ListedAdmin):
    """Businesses that editors put forward, the latest first."""

    list_display = ["business", "note", "created_at"]
    list_select_related = ["business"]
    search_fields = ["business__name"]
    ordering = ["-created_at", "pk"]
    autocomplete_fields = ["business"]
    readonly_fields = ["created_at"]
