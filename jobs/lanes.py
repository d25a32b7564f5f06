"""Pausing and resuming lanes."""

from datetime import datetime

from django.db.models.functions import Now

from jobs.actor import Actor
from jobs.clock import in_
from jobs.kinds import get_kind
from jobs.lifecycle.circuit import OPEN, ensure_lane
from jobs.models import Lane
from jobs.wake import wake

#: Seconds that a lane sleeps at most: what it lacks may be given back sooner than it was told.
MAX_SLEEP = 5.0


def pause(kind: str, *, actor: Actor, reason: str = "", until: datetime | None = None) -> None:
    """Claim nothing more of a lane, until `until` or until it is resumed; what is under way goes on.

    Raises `jobs.kinds.UnknownKind`.
    """
    Lane.objects.update_or_create(
        kind=get_kind(kind).name,
        defaults={
            "paused_at": Now(),
            "paused_until": until,
            "paused_by": actor.triggered_by,
            "pause_reason": reason,
            "circuit": "",
            "probe_at": None,
        },
    )


def sleep(kind: str, seconds: float) -> None:
    """Have the scheduler send no wake-up for a lane without budget; a new job still wakes it, and may be urgent."""
    ensure_lane(kind)
    Lane.objects.filter(kind=kind).update(wake_at=in_(min(seconds, MAX_SLEEP)))


def rouse(kind: str) -> None:
    """Let the scheduler wake a lane again that sleeps: some of the budget it lacked was given back."""
    Lane.objects.filter(kind=kind, wake_at__isnull=False).update(wake_at=None)


def resume(kind: str) -> None:
    """Let a lane's jobs be claimed again. Raises `jobs.kinds.UnknownKind`."""
    declared = get_kind(kind)
    throttle = declared.throttle()
    if throttle is not None:
        throttle.unblock()
    Lane.objects.filter(kind=declared.name).update(**OPEN, closed_until=None, wake_at=None)
    wake(kind)
