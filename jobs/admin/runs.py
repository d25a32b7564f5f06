"""Runs in the admin: list, page, start, stop, resume."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_noop, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe
from unfold.decorators import display

from jobs import runs
from jobs.actor import Actor
from jobs.admin.base import ReadOnlyAdmin, back_to_dashboard
from jobs.kinds import UnknownKind, all_kinds, get_kind
from jobs.lifecycle import StateConflict
from jobs.lifecycle.counts import DEAD
from jobs.models import Run, RunCount
from jobs.runs.feeds import Feed
from jobs.runs.forecast import forecast, forecast_new
from jobs.runs.progress import failures_by_class, last_errors, progress_of
from jobs.states import Source

State = Run.State

#: Errors that the page shows; the API has more.
SHOWN_ERRORS = 20


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    """Runs, the newest first."""

    list_display = ["shown_state", "kind", "shown_progress", "failed", "requested_by", "created_at", "finished_at"]
    list_display_links = ["shown_state"]
    list_filter = ["state", "kind", "fed"]
    ordering = ["-created_at"]
    list_before_template = "admin/jobs/runs.html"
    change_form_outer_before_template = "admin/jobs/run.html"
    fieldsets = [
        (
            pgettext_lazy("bulk operation", "Run"),
            {"fields": ["id", "kind", "shown_source", "options", "cursor", "created_at", "resumed_at"]},
        )
    ]

    class Media:
        """What keeps a page of a run up to date."""

        js = ("jobs/live.js",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        """Return runs with their counts."""
        counts = RunCount.objects.filter(run=OuterRef("pk")).order_by().values("run")
        total = counts.annotate(number=Sum("jobs")).values("number")
        dead = counts.filter(outcome__startswith=DEAD).annotate(number=Sum("jobs")).values("number")
        return Run.objects.annotate(ended=Coalesce(Subquery(total), 0), dead=Coalesce(Subquery(dead), 0))

    @display(
        description=_("state"),
        ordering="state",
        label={
            State.RUNNING: "primary",
            State.STOPPING: "warning",
            State.STOPPED: "warning",
            State.COMPLETED: "success",
            State.FAILED: "danger",
        },
    )
    def shown_state(self, run: Run) -> tuple[str, str]:
        """Return the state, coloured."""
        return run.state, run.get_state_display()

    @display(description=_("progress"))
    def shown_progress(self, run: Any) -> SafeString:
        """Return a bar that also says the numbers."""
        done = run.ended + run.skipped
        return format_html(
            '<progress max="{}" value="{}" aria-label="{}"></progress> {}',
            max(1, run.total),
            done,
            gettext("Progress"),
            gettext("%(done)s of %(total)s") % {"done": f"{done:,}", "total": f"{run.total:,}"},
        )

    @display(description=_("source"))
    def shown_source(self, run: Run) -> str:
        """Return where the request for it came from."""
        return gettext(run.source)

    @display(description=_("failed"), ordering="dead")
    def failed(self, run: Any) -> str:
        """Return how many of its jobs are dead."""
        return f"{run.dead:,}"

    def has_steer_permission(self, request: HttpRequest) -> bool:
        """Tell whether the user may start, stop and resume runs."""
        return request.user.has_perm("jobs.steer_run")

    def get_urls(self) -> list[URLPattern]:
        """Add the form that starts one, the part of a page that is refreshed, and the buttons, which take POST only."""
        wrap = self.admin_site.admin_view
        return [
            path("start/<str:kind>/", wrap(self.start_view), name="run_start"),
            path("<uuid:run_id>/live/", wrap(require_safe(self.live_view)), name="run_live"),
            path("<uuid:run_id>/stop/", wrap(require_POST(self.stop_view)), name="run_stop"),
            path("<uuid:run_id>/resume/", wrap(require_POST(self.resume_view)), name="run_resume"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the list, with a button for each kind that a run can be started of."""
        kinds = [kind for kind in all_kinds() if kind.feed is not None] if self.has_steer_permission(request) else []
        response: HttpResponse = super().changelist_view(request, {**(extra_context or {}), "startable": kinds})
        return response

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show a run with its counts, forecast and failures, and the buttons that its state allows."""
        context = dict(extra_context or {})
        run = self.get_object(request, object_id)
        if run is not None:
            title = gettext("%(kind)s, started by %(person)s") % {"kind": run.kind, "person": run.requested_by}
            context |= {"title": title, **self._told(request, run)}
        response: HttpResponse = super().change_view(request, object_id, form_url, context)
        return response

    def _told(self, request: HttpRequest, run: Run) -> dict[str, Any]:
        """Return what the live part of a page shows."""
        progress = progress_of(run)
        can_steer = self.has_steer_permission(request)
        return {
            "run": run,
            "progress": progress,
            "forecast": forecast(progress),
            "failures": failures_by_class(run),
            "errors": last_errors(run)[:SHOWN_ERRORS],
            "can_stop": can_steer and run.state == State.RUNNING,
            "can_resume": can_steer and run.state in {State.STOPPED, State.FAILED},
        }

    def live_view(self, request: HttpRequest, run_id: UUID) -> HttpResponse:
        """Return the part of a run's page that changes."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        run = get_object_or_404(Run, id=run_id)
        return render(request, "admin/jobs/run_live.html", self._told(request, run))

    def stop_view(self, request: HttpRequest, run_id: UUID) -> HttpResponse:
        """Stop a run."""
        done = gettext_noop("The run makes no more jobs; what was sent comes to its end.")
        return self._steer(request, run_id, runs.stop, done)

    def resume_view(self, request: HttpRequest, run_id: UUID) -> HttpResponse:
        """Resume a run."""
        return self._steer(request, run_id, runs.resume, gettext_noop("The run goes on where it was stopped."))

    def _steer(self, request: HttpRequest, run_id: UUID, act: Any, done: str) -> HttpResponse:
        if not self.has_steer_permission(request):
            raise PermissionDenied
        run = get_object_or_404(Run, id=run_id)
        try:
            act(run.id)
        except StateConflict as conflict:
            self.message_user(request, str(conflict), messages.WARNING)
        else:
            self.log_change(request, run, done)
            self.message_user(request, gettext(done), messages.SUCCESS)
        return back_to_dashboard(request) or HttpResponseRedirect(reverse("admin:jobs_run_change", args=[run.id]))

    def start_view(self, request: HttpRequest, kind: str) -> HttpResponse:
        """Ask for the options of a run, say what it would come to, start it."""
        if not self.has_steer_permission(request):
            raise PermissionDenied
        feed = _feed_of(kind)
        form = feed.form(request.POST or None)
        estimate = expected = None
        if request.method == "POST" and form.is_valid():
            if "start" in request.POST:
                return self._start(request, kind, form.options())
            estimate = feed.estimate(form.options())
            expected = forecast_new(kind, estimate.texts, estimate.tokens)
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Start a run: %(kind)s") % {"kind": kind},
            "opts": self.opts,
            "form": form,
            "estimate": estimate,
            "forecast": expected,
        }
        return TemplateResponse(request, "admin/jobs/run_start.html", context)

    def _start(self, request: HttpRequest, kind: str, options: dict[str, Any]) -> HttpResponse:
        try:
            run = runs.start_fed_run(kind, options, actor=Actor(request.user.get_username(), Source.ADMIN))
        except runs.RunActive as active:
            self.message_user(request, str(active), messages.WARNING)
            run = active.run
        else:
            self.log_addition(request, run, "started")
            self.message_user(request, gettext("The run has begun."), messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:jobs_run_change", args=[run.id]))


def _feed_of(kind: str) -> Feed:
    """Return the feed of a kind; 404 for one that has none."""
    try:
        feed = get_kind(kind).feed
    except UnknownKind:
        feed = None
    if feed is None:
        raise Http404(f"No run can be started of {kind!r}.")
    return feed
