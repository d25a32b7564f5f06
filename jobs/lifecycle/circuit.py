"""The circuit of a lane: paused by the system when a failure concerns every job of it, tried and opened again."""

from collections.abc import Sequence

import structlog
from django.db import connection
from django.db.models import F, Q
from django.db.models.functions import Greatest, Now

from jobs import clock
from jobs.clock import in_
from jobs.errors import ErrorClass, JobError
from jobs.kinds import Kind
from jobs.models import Lane
from jobs.retry import Pause
from jobs.throttle.limits import next_reset

log = structlog.get_logger(__name__)

#: Single jobs that may be rejected one after another, after their batches were, before the lane is paused: then it is
#: not the jobs that are wrong.
MAX_REJECTIONS = 20

#: Seconds between probes of a lane whose kind names none.
PROBE_EVERY = 600.0

#: Who pauses a lane when no person does.
SYSTEM = "system"


def ensure_lane(kind: str) -> None:
    """Make sure that the lane has its row."""
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO jobs_lane (kind) VALUES (%s) ON CONFLICT DO NOTHING", [kind])


def note(kind: Kind, errors: Sequence[JobError], *, succeeded: bool) -> None:
    """Draw the lane's consequences from a batch's failures, in the transaction that ends its jobs."""
    if errors:
        ensure_lane(kind.name)
    lane = Lane.objects.filter(kind=kind.name)
    if succeeded:
        lane.filter(rejections__gt=0).update(rejections=0)
    elif any(error.error_class == ErrorClass.INVALID_INPUT and error.status_code for error in errors):
        lane.update(rejections=F("rejections") + len(errors))
        if lane.filter(rejections__gte=MAX_REJECTIONS, paused_at__isnull=True).exists():
            _pause(kind, ErrorClass.BATCH_REJECTED, "every input is rejected: it is not the inputs", Pause())
    for error in errors:
        rule = kind.retry[error.error_class]
        if rule.pause is not None:
            _pause(kind, error.error_class, _reason(error), rule.pause)
            break
    waits = [error for error in errors if kind.retry[error.error_class].lane_waits]
    if waits:
        seconds = max(max(kind.retry[error.error_class].delay or 0.0, error.retry_after or 0.0) for error in waits)
        lane.update(closed_until=Greatest(F("closed_until"), in_(seconds)))
        log.warning("lane_waits", lane=kind.name, seconds=round(seconds, 1), reason=waits[0].message)


def _reason(error: JobError) -> str:
    """Return what a person reads first: the exceeded quota, where there is one, then what the provider said."""
    return f"{error.quota_id}: {error.message}" if error.quota_id else error.message


def _pause(kind: Kind, error_class: ErrorClass, reason: str, pause: Pause) -> None:
    """Pause the lane, unless it is paused already: the first reason stays."""
    paused = Lane.objects.filter(Q(paused_at__isnull=True) | Q(paused_until__lte=Now()), kind=kind.name).update(
        paused_at=Now(),
        paused_until=next_reset(clock.now()) if pause.until_reset else None,
        paused_by=SYSTEM,
        pause_reason=reason[:200],
        circuit=error_class,
        probe_at=None if pause.probe_every is None else in_(pause.probe_every),
    )
    if paused:
        log.error("lane_paused", lane=kind.name, error_class=str(error_class), reason=reason)


def probe_is_due(kind: Kind) -> bool:
    """Tell whether a paused lane should be tried now; exactly one caller per turn is told so."""
    if kind.probe is None:
        return False
    pauses = [rule.pause.probe_every for rule in kind.retry.values() if rule.pause and rule.pause.probe_every]
    every = min(pauses, default=PROBE_EVERY)
    return bool(
        Lane.objects.filter(kind=kind.name, paused_at__isnull=False, probe_at__lte=Now()).update(probe_at=in_(every))
    )


def reopen(kind: Kind) -> None:
    """Open a lane again whose probe succeeded."""
    if Lane.objects.filter(kind=kind.name).exclude(circuit="").update(**OPEN, closed_until=None):
        log.info("lane_open", lane=kind.name, reason="the probe succeeded")


def reopen_elapsed() -> list[str]:
    """Clear pauses whose time has come and return their lanes."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT kind FROM jobs_lane WHERE paused_until <= statement_timestamp()")
        kinds = [row[0] for row in cursor.fetchall()]
    if kinds:
        Lane.objects.filter(kind__in=kinds, paused_until__lte=Now()).update(**OPEN)
        log.info("lanes_open", lanes=kinds, reason="the pause is over")
    return kinds


#: The fields of a lane that is not paused.
OPEN = {
    "paused_at": None,
    "paused_until": None,
    "paused_by": "",
    "pause_reason": "",
    "circuit": "",
    "probe_at": None,
    "rejections": 0,
}
