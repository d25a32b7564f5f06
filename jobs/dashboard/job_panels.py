"""The panels that every installation has."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_noop

from jobs import deadletters, periodic
from jobs.dashboard import verdict
from jobs.dashboard.cards import all_cards
from jobs.dashboard.charts import spark
from jobs.dashboard.history import charts
from jobs.dashboard.job_cards import capped
from jobs.dashboard.look import MOST_WORKERS, Look
from jobs.dashboard.panels import Panel, register_panel
from jobs.history.tallies import group_of
from jobs.kinds import all_kinds
from jobs.models import Run
from jobs.runs.forecast import forecast

#: Causes that are shown.
MOST_CAUSES = 8
#: Seconds for which charts are shown again: they are most of a refresh's work.
CHARTS_KEPT_FOR = 4.0

Context = Mapping[str, Any]


def read_cards(look: Look, request: HttpRequest) -> Context:
    """Return every card that has something to show."""
    shown = []
    for card in all_cards():
        reading = card.read(look)
        if reading is not None:
            shown.append({"card": card, "reading": reading, "spark": spark(reading.trend)})
    return {"cards": shown}


def read_charts(look: Look, request: HttpRequest) -> Context:
    """Return the charts."""
    return {"charts": charts(look)}


def read_lanes(look: Look, request: HttpRequest) -> Context:
    """Return every lane with its rate and what holds it up."""
    ended = dict.fromkeys((lane["kind"] for lane in look.lanes), 0)
    for counted in look.tallies():
        if counted.kind in ended and group_of(counted.outcome) in {"succeeded", "dead"}:
            ended[counted.kind] += counted.count.jobs
    minutes = look.span.length.total_seconds() / 60
    batches: dict[str, int] = {}
    for worker in look.workers:
        for batch in vars(worker)["current"]:
            batches[batch["kind"]] = batches.get(batch["kind"], 0) + 1
    served = [set(worker.queues) for worker in look.workers_alive]
    return {
        "lanes": [
            {
                **lane,
                "shown_waiting": capped(lane["waiting"]),
                "per_minute": ended[lane["kind"]] / minutes,
                "batches": batches.get(lane["kind"], 0),
                "utilisation": min(100, round(100 * batches.get(lane["kind"], 0) / lane["concurrency"])),
                "served": any(not queues or lane["kind"] in queues for queues in served),
            }
            for lane in look.lanes
        ],
        "can_steer": request.user.has_perm("jobs.pause_lane"),
    }


def read_runs(look: Look, request: HttpRequest) -> Context:
    """Return the runs that are under way, and the last ones that were."""
    return {
        "runs": [{"run": each.run, "progress": each, "forecast": _forecast(each)} for each in look.runs],
        "startable": [kind for kind in all_kinds() if kind.feed is not None],
        "can_steer": request.user.has_perm("jobs.steer_run"),
        "resumable": {Run.State.STOPPED, Run.State.FAILED},
    }


def _forecast(progress: Any) -> str:
    return "" if progress.run.finished_at is not None else forecast(progress).sentence


def read_workers(look: Look, request: HttpRequest) -> Context:
    """Return the workers that are alive, and those that were lately."""
    versions = {worker.version for worker in look.workers_alive}
    return {
        "workers": look.workers[:MOST_WORKERS],
        "versions": sorted(versions) if len(versions) > 1 else [],
        "more": max(0, len(look.workers) - MOST_WORKERS),
    }


def read_failures(look: Look, request: HttpRequest) -> Context:
    """Return what jobs died of within the span."""
    causes, complete = deadletters.recent_causes(look.now - look.span.length, MOST_CAUSES)
    return {
        "causes": causes,
        "complete": complete,
        "newest": deadletters.NEWEST,
        "can_steer": request.user.has_perm("jobs.retry_job"),
    }


def read_schedule(look: Look, request: HttpRequest) -> Context:
    """Return each piece of periodic work with its last and next time."""
    return {
        "tasks": [
            {"kind": each.kind, "schedule": str(each.schedule), "task": look.periodic.get(each.kind)}
            for each in periodic.declared()
        ],
        "can_steer": request.user.has_perm("jobs.steer_periodictask"),
    }


for _order, (_name, _title, _read, _wide, _permission) in enumerate(
    (
        ("verdict", gettext_noop("Verdict"), verdict.read, True, "jobs.view_jobexecution"),
        ("cards", gettext_noop("Numbers"), read_cards, True, "jobs.view_jobexecution"),
        ("runs", gettext_noop("Runs"), read_runs, True, "jobs.view_run"),
        ("lanes", gettext_noop("Lanes"), read_lanes, True, "jobs.view_lane"),
        ("failures", gettext_noop("Failures by cause"), read_failures, True, "jobs.view_deadletter"),
        ("charts", gettext_noop("Charts"), read_charts, True, "jobs.view_jobexecution"),
        ("workers", gettext_noop("Workers"), read_workers, False, "jobs.view_workerprocess"),
        ("schedule", gettext_noop("Schedule"), read_schedule, False, "jobs.view_jobexecution"),
    )
):
    register_panel(
        Panel(
            name=_name,
            title=_title,
            order=10 * (_order + 1),
            read=_read,
            permission=_permission,
            wide=_wide,
            kept_for=CHARTS_KEPT_FOR if _name == "charts" else 0.0,
        )
    )
