"""Workers and lanes in the admin."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.contrib.messages import ERROR, SUCCESS
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.decorators import action, display

from jobs import lanes, workers
from jobs.actor import Actor
from jobs.admin.base import ReadOnlyAdmin
from jobs.kinds import UnknownKind
from jobs.models import Lane, WorkerProcess
from jobs.states import Source

State = WorkerProcess.State


@admin.register(WorkerProcess)
class WorkerAdmin(ReadOnlyAdmin):
    """Worker processes, the latest heartbeat first."""

    list_display = [
        "shown_state",
        "name",
        "version",
        "threads",
        "started_at",
        "last_heartbeat_at",
        "doing",
        "processed",
        "failed",
        "shown_memory",
    ]
    list_filter = ["state", "host"]
    search_fields = ["name"]
    ordering = ["-last_heartbeat_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[WorkerProcess]:
        """Return the workers with what they do now."""
        return workers.described()

    @display(
        description=_("state"),
        ordering="state",
        label={
            State.STARTING: "info",
            State.RUNNING: "success",
            State.DRAINING: "warning",
            State.STOPPED: "default",
            State.LOST: "danger",
            "stuck": "danger",
            "silent": "danger",
        },
    )
    def shown_state(self, worker: Any) -> tuple[str, str]:
        """Return the state, coloured: `stuck` when it beats but does not get on, `silent` when it does not beat."""
        if worker.is_stuck:
            return "stuck", gettext("stuck")
        if not worker.is_alive and worker.state not in {State.STOPPED, State.LOST}:
            return "silent", gettext("silent")
        return worker.state, worker.get_state_display()

    @display(description=_("doing"))
    def doing(self, worker: Any) -> str:
        """Return the batches that it holds."""
        return ", ".join(f"{batch['kind']} x {batch['jobs']}" for batch in worker.current) or "-"

    @display(description=_("memory"), ordering="memory_bytes")
    def shown_memory(self, worker: WorkerProcess) -> str:
        """Return the resident memory, and how much of the limit is used."""
        told = (
            gettext("%(used)s MiB, %(share)s of the limit (claims nothing)")
            if worker.memory_high
            else gettext("%(used)s MiB, %(share)s of the limit")
        )
        return told % {"used": f"{worker.memory_bytes / 2**20:,.0f}", "share": f"{worker.memory_share:.0%}"}


@admin.register(Lane)
class LaneAdmin(ReadOnlyAdmin):
    """Lanes: one for each kind of job."""

    list_display = ["kind", "shown_state", "shown_circuit", "paused_at", "paused_until", "paused_by", "pause_reason"]
    actions = ["pause", "resume"]

    @display(description=_("state"), label={"open": "success", "paused": "warning"})
    def shown_state(self, lane: Lane) -> tuple[str, str]:
        """Return whether the lane is paused."""
        return ("paused", gettext("paused")) if lane.paused_at else ("open", gettext("open"))

    @display(description=_("circuit"), ordering="circuit")
    def shown_circuit(self, lane: Lane) -> str:
        """Return the failure class that paused it."""
        return gettext(lane.circuit) or "-"

    def has_pause_permission(self, request: HttpRequest) -> bool:
        """Tell whether the user may pause and resume lanes."""
        return request.user.has_perm("jobs.pause_lane")

    def get_urls(self) -> list[URLPattern]:
        """Add the dashboard's buttons, which take POST only."""
        wrap = self.admin_site.admin_view
        return [
            path("<str:kind>/pause/", wrap(require_POST(self.pause_view)), name="lane_pause"),
            path("<str:kind>/resume/", wrap(require_POST(self.resume_view)), name="lane_resume"),
            *super().get_urls(),
        ]

    def pause_view(self, request: HttpRequest, kind: str) -> HttpResponse:
        """Pause a lane, for a reason that a person gives."""
        reason = request.POST.get("reason", "").strip()
        if not reason:
            self.message_user(
                request, gettext("Say why the lane is paused: whoever finds it paused wants to know."), ERROR
            )
            return redirect("admin:index")
        return self._steer(
            request, kind, f"paused: {reason}", lambda actor: lanes.pause(kind, actor=actor, reason=reason[:200])
        )

    def resume_view(self, request: HttpRequest, kind: str) -> HttpResponse:
        """Resume a lane."""
        return self._steer(request, kind, "resumed", lambda actor: lanes.resume(kind))

    def _steer(self, request: HttpRequest, kind: str, done: str, act: Callable[[Actor], None]) -> HttpResponse:
        if not self.has_pause_permission(request):
            raise PermissionDenied
        before = Lane.objects.filter(kind=kind).first()
        was = f"paused ({before.circuit or before.paused_by})" if before and before.paused_at else "open"
        try:
            act(Actor(request.user.get_username(), Source.ADMIN))
        except UnknownKind as error:
            raise Http404(str(error)) from None
        self.log_change(request, Lane.objects.get(kind=kind), f"{done} (was {was})")
        told = gettext("%(kind)s is resumed.") if done == "resumed" else gettext("%(kind)s is paused.")
        self.message_user(request, told % {"kind": kind}, SUCCESS)
        return redirect("admin:index")

    @action(description=_("Pause"), permissions=["pause"])
    def pause(self, request: HttpRequest, queryset: QuerySet[Lane]) -> None:
        """Claim nothing more of the selected lanes."""
        for lane in queryset:
            lanes.pause(lane.kind, actor=Actor(request.user.get_username(), Source.ADMIN), reason="paused in the admin")
            self.log_change(request, lane, "paused")

    @action(description=_("Resume"), permissions=["pause"])
    def resume(self, request: HttpRequest, queryset: QuerySet[Lane]) -> None:
        """Let jobs of the selected lanes be claimed again."""
        for lane in queryset:
            lanes.resume(lane.kind)
            self.log_change(request, lane, "resumed")
