"""Pausing and resuming lanes."""

from datetime import datetime

from django.db.models.functions import Now

from jobs.actor import Actor
from jobs.kinds import get_kind
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
        },
    )


def resume(kind: str) -> None:
    """Let a lane's jobs be claimed again. Raises `jobs.kinds.UnknownKind`."""
    Lane.objects.filter(kind=get_kind(kind).name).update(
        paused_at=None, paused_until=None, paused_by="", pause_reason=""
    )
    wake(kind)
