"""What is done to many rows in the background, in the admin: list, page, stop."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe
from unfold.decorators import display

from jobs.admin.base import ReadOnlyAdmin
from jobs.bulk.actions import Action, UnknownAction, action_of, all_actions
from jobs.bulk.progress import criteria_in_words, progress_of
from jobs.bulk.reasons import told_reason
from jobs.bulk.start import BULK_ACTION
from jobs.bulk.steer import stop
from jobs.lifecycle import StateConflict
from jobs.models import BulkAction, JobExecution

State = BulkAction.State


class ActionFilter(admin.SimpleListFilter):
    """What was done."""

    title = gettext_lazy("action")
    parameter_name = "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the actions."""
        return [(action.name, _(action.words.title)) for action in all_actions()]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Narrow to one action."""
        return queryset if self.value() is None else queryset.filter(action=self.value())


@admin.register(BulkAction)
class BulkActionAdmin(ReadOnlyAdmin):
    """Bulk actions, the newest first."""

    list_display = [
        "shown_state",
        "shown_action",
        "shown_progress",
        "skipped",
        "requested_by",
        "created_at",
        "finished_at",
    ]
    list_display_links = ["shown_state"]
    list_filter = ["state", ActionFilter, "created_at"]
    search_fields = ["requested_by"]
    ordering = ["-created_at"]
    change_form_outer_before_template = "admin/jobs/bulk.html"
    fieldsets = [
        (gettext_lazy("Bulk action"), {"fields": ["id", "shown_source", "created_at", "started_at", "finished_at"]})
    ]

    class Media:
        """What keeps a page of a bulk action up to date."""

        js = ("jobs/live.js",)

    @display(
        description=gettext_lazy("state"),
        ordering="state",
        label={
            State.WAITING: "info",
            State.WORKING: "primary",
            State.DONE: "success",
            State.STOPPED: "warning",
            State.FAILED: "danger",
        },
    )
    def shown_state(self, bulk: BulkAction) -> tuple[str, str]:
        """Return the state, coloured."""
        return bulk.state, bulk.get_state_display()

    @display(description=gettext_lazy("action"), ordering="action")
    def shown_action(self, bulk: BulkAction) -> str:
        """Return what is done, in words."""
        action = _known(bulk)
        return _(action.words.title) if action else bulk.action

    @display(description=gettext_lazy("source"))
    def shown_source(self, bulk: BulkAction) -> str:
        """Return where the request for it came from."""
        return _(bulk.source)

    @display(description=gettext_lazy("progress"))
    def shown_progress(self, bulk: BulkAction) -> SafeString:
        """Return a bar that also says the numbers."""
        processed = bulk.done + bulk.skipped
        return format_html(
            '<progress max="{}" value="{}" aria-label="{}"></progress> {}',
            max(1, bulk.total),
            processed,
            _("Progress"),
            _("%(done)s of %(total)s") % {"done": f"{processed:,}", "total": f"{bulk.total:,}"},
        )

    def get_urls(self) -> list[URLPattern]:
        """Add the part of a page that is refreshed, and the button, which takes POST only."""
        wrap = self.admin_site.admin_view
        return [
            path("<uuid:bulk_id>/live/", wrap(require_safe(self.live_view)), name="bulk_live"),
            path("<uuid:bulk_id>/stop/", wrap(require_POST(self.stop_view)), name="bulk_stop"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show a bulk action with its counts, and the button that its state allows."""
        context = dict(extra_context or {})
        bulk = self.get_object(request, object_id)
        if bulk is not None:
            context |= {"title": self.shown_action(bulk), **self._told(request, bulk)}
        response: HttpResponse = super().change_view(request, object_id, form_url, context)
        return response

    def _told(self, request: HttpRequest, bulk: BulkAction) -> dict[str, Any]:
        """Return what the live part of a page shows."""
        jobs = JobExecution.objects.filter(kind=BULK_ACTION, subject=str(bulk.id)).order_by("-created_at")
        return {
            "bulk": bulk,
            "asked": _known(bulk),
            "progress": progress_of(bulk),
            "criteria": criteria_in_words(bulk),
            "reasons": [(told_reason(reason), count) for reason, count in sorted(bulk.reasons.items())],
            "job": jobs.values_list("id", flat=True).first(),
            "can_stop": bulk.is_under_way and _may_steer(request, bulk),
        }

    def live_view(self, request: HttpRequest, bulk_id: UUID) -> HttpResponse:
        """Return the part of a page that changes."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        bulk = get_object_or_404(BulkAction, id=bulk_id)
        return render(request, "admin/jobs/bulk_live.html", self._told(request, bulk))

    def stop_view(self, request: HttpRequest, bulk_id: UUID) -> HttpResponse:
        """Stop a bulk action: for whoever might have begun it."""
        bulk = get_object_or_404(BulkAction, id=bulk_id)
        if not _may_steer(request, bulk):
            raise PermissionDenied
        try:
            stop(bulk.id, by=request.user.get_username())
        except StateConflict as conflict:
            self.message_user(request, str(conflict), messages.WARNING)
        else:
            self.message_user(request, _("Stopped. What is done stays done, the rest is left alone."), messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:jobs_bulkaction_change", args=[bulk.id]))


def _known(bulk: BulkAction) -> Action | None:
    """Return what a bulk action does; None for an action that no longer exists."""
    try:
        return action_of(bulk)
    except UnknownAction:
        return None


def _may_steer(request: HttpRequest, bulk: BulkAction) -> bool:
    """Tell whether the user may do to one row what the bulk action does to many."""
    action = _known(bulk)
    return action is not None and request.user.has_perm(action.permission)
