"""Workers and lanes in the admin."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import action, display

from jobs import lanes, workers
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
        description="state",
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
            return "stuck", "stuck"
        if not worker.is_alive and worker.state not in {State.STOPPED, State.LOST}:
            return "silent", "silent"
        return worker.state, worker.get_state_display()

    @display(description="doing")
    def doing(self, worker: Any) -> str:
        """Return the batches that it holds."""
        return ", ".join(f"{batch['kind']} x {batch['jobs']}" for batch in worker.current) or "-"

    @display(description="memory", ordering="memory_bytes")
    def shown_memory(self, worker: WorkerProcess) -> str:
        """Return the resident memory, and how much of the limit is used."""
        held = " (claims nothing)" if worker.memory_high else ""
        return f"{worker.memory_bytes / 2**20:,.0f} MiB, {worker.memory_share:.0%} of the limit{held}"


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
