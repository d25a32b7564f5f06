"""Pausing and resuming lanes."""

from datetime import datetime

from django.db.models.functions import Now

from jobs.actor import Actor
from jobs.clock import in_
from jobs.kinds import get_kind
from jobs.lifecycle.circuit import OPEN
from jobs.models import Lane
from jobs.wake import wake


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
    Lane.objects.filter(kind=kind).update(wake_at=in_(seconds))


def resume(kind: str) -> None:
    """Let a lane's jobs be claimed again. Raises `jobs.kinds.UnknownKind`."""
    declared = get_kind(kind)
    throttle = declared.throttle()
    if throttle is not None:
        throttle.unblock()
    Lane.objects.filter(kind=declared.name).update(**OPEN, wake_at=None)
    wake(kind)
