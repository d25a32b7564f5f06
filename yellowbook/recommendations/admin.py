"""Taste profiles in the admin, to look at or to delete: where each stands, opinions, and what would be recommended."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.decorators import display

from embeddings.current import current_model
from jobs.admin.base import ReadOnlyAdmin
from yellowbook.recommendations.models import Opinion, TasteProfile
from yellowbook.recommendations.occasions import occasions
from yellowbook.recommendations.recommend import NotCompleted, recommend
from yellowbook.recommendations.standing import State, listed_state, standing_of, with_jobs

#: Recommendations that a page shows.
SHOWN = 10
#: The colour of each state; its name is always written out too.
STATE_COLOURS = {
    State.INCOMPLETE.value: "info",
    State.EMBEDDED.value: "success",
    State.WAITING.value: "info",
    State.DELAYED.value: "warning",
    State.FAILED.value: "danger",
    State.MISSING.value: "warning",
}


class OpinionInline(TabularInline):
    """What the user likes and does not; only the user changes it."""

    model = Opinion
    hide_title = True
    extra = 0
    fields = ["business", "liked", "created_at"]
    readonly_fields = fields
    ordering = ["-created_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Opinion]:
        """Return opinions with their businesses."""
        rows: QuerySet[Opinion] = super().get_queryset(request)
        return rows.select_related("business")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody adds them by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody edits them by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes them by hand."""
        return False


@admin.register(TasteProfile)
class TasteProfileAdmin(ReadOnlyAdmin):
    """Profiles, the newest first."""

    list_display = ["user", "shown_state", "shown_categories", "shown_cities", "completed_at", "updated_at"]
    search_fields = ["user__username"]
    ordering = ["-created_at", "-pk"]
    inlines = [OpinionInline]
    change_form_outer_before_template = "admin/recommendations/profile.html"
    fields = ["user", "shown_categories", "price_levels", "shown_cities", "shown_occasions", "about", "completed_at"]
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[TasteProfile]:
        """Return profiles with what tells their states."""
        rows = super().get_queryset(request).select_related("user")
        return with_jobs(rows, current_model()).defer("vector__vector")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Tell whether the user may delete profiles: whoever deletes a user has to be able to."""
        return bool(request.user.has_perm("recommendations.delete_tasteprofile"))

    @display(description=_("state"), label=STATE_COLOURS)
    def shown_state(self, profile: TasteProfile) -> tuple[str, str]:
        """Return the state, coloured."""
        state = listed_state(profile)
        return state.value, gettext(state)

    @display(description=_("categories"))
    def shown_categories(self, profile: TasteProfile) -> str:
        """Return the categories of the answers."""
        return ", ".join(profile.categories) or "-"

    @display(description=_("cities"))
    def shown_cities(self, profile: TasteProfile) -> str:
        """Return the cities of the answers."""
        return ", ".join(profile.cities) or "-"

    @display(description=_("occasions"))
    def shown_occasions(self, profile: TasteProfile) -> str:
        """Return the occasions of the answers, in the reader's language."""
        language, known = get_language() or "en", occasions()
        return ", ".join(known[each].label(language) if each in known else each for each in profile.occasions) or "-"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show a profile with where it stands, and what its owner would be recommended now; nothing is written."""
        context = dict(extra_context or {})
        profile: TasteProfile | None = self.get_object(request, object_id)
        if profile is not None and self.has_view_permission(request, profile):
            standing = standing_of(profile, current_model())
            try:
                results = recommend(profile, limit=SHOWN, look_only=True).results
            except NotCompleted:
                results = None
            context |= {
                "standing": standing,
                "state": gettext(standing.state),
                "why": gettext(standing.why) if standing.why else "",
                "results": results,
            }
        response: HttpResponse = super().change_view(request, object_id, form_url, context)
        return response
