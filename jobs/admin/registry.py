"""Workers and lanes in the admin."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import action, display

from jobs import lanes
from jobs.actor import Actor
from jobs.admin.base import ReadOnlyAdmin
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
        "processed",
        "failed",
        "shown_memory",
    ]
    list_filter = ["state", "host"]
    search_fields = ["name"]
    ordering = ["-last_heartbeat_at"]

    @display(
        description="state",
        ordering="state",
        label={State.RUNNING: "success", State.DRAINING: "warning", State.STOPPED: "default", State.LOST: "danger"},
    )
    def shown_state(self, worker: WorkerProcess) -> tuple[str, str]:
        """Return the state, coloured."""
        return worker.state, worker.get_state_display()

    @display(description="memory", ordering="memory_bytes")
    def shown_memory(self, worker: WorkerProcess) -> str:
        """Return the resident memory."""
        return f"{worker.memory_bytes / 2**20:,.0f} MiB"


@admin.register(Lane)
class LaneAdmin(ReadOnlyAdmin):
    """Lanes: one for each kind of job."""

    list_display = ["kind", "shown_state", "circuit", "paused_at", "paused_until", "paused_by", "pause_reason"]
    actions = ["pause", "resume"]

    @display(description="state", label={"open": "success", "paused": "warning"})
    def shown_state(self, lane: Lane) -> str:
        """Return whether the lane is paused."""
        return "paused" if lane.paused_at else "open"

    @action(description="Pause", permissions=["steer"])
    def pause(self, request: HttpRequest, queryset: QuerySet[Lane]) -> None:
        """Claim nothing more of the selected lanes."""
        for lane in queryset:
            lanes.pause(lane.kind, actor=Actor(request.user.get_username(), Source.ADMIN), reason="paused in the admin")
            self.log_change(request, lane, "paused")

    @action(description="Resume", permissions=["steer"])
    def resume(self, request: HttpRequest, queryset: QuerySet[Lane]) -> None:
        """Let jobs of the selected lanes be claimed again."""
        for lane in queryset:
            lanes.resume(lane.kind)
            self.log_change(request, lane, "resumed")
