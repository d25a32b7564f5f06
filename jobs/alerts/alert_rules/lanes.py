"""Lanes that the system paused because of their provider: refused key, exhausted quota, wrong model."""

from collections.abc import Mapping

from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_noop

from jobs.alerts.names import DELIVER_ALERT
from jobs.alerts.rules import AlertRule, Finding, register_rule
from jobs.models import Lane


def provider_paused(threshold: float) -> Finding:
    """Find lanes whose circuit is open; what a person paused is not an alert."""
    lanes = list(
        Lane.objects.filter(paused_at__isnull=False)
        .filter(Q(paused_until__isnull=True) | Q(paused_until__gt=Now()))
        .exclude(circuit="")
        .exclude(kind=DELIVER_ALERT)
        .order_by("kind")[:10]
    )
    return paused_lanes({lane.kind: (lane.circuit, lane.pause_reason) for lane in lanes})


def paused_lanes(lanes: Mapping[str, tuple[str, str]]) -> Finding:
    """Say which lanes are paused: for each its failure class, and what the provider said."""
    if not lanes:
        return Finding(False, 0, "No lane is paused by its provider.")
    told = "; ".join(f"{kind} ({circuit}: {reason})" for kind, (circuit, reason) in lanes.items())
    return Finding(True, len(lanes), f"Paused: {told}.")


register_rule(
    AlertRule(
        name="provider_paused",
        title=gettext_noop("The provider refuses"),
        check=provider_paused,
        says=(
            gettext_noop("No lane is paused by its provider."),
            gettext_noop("Paused: %(lanes)s."),
        ),
        next_step=gettext_noop("Put the key, the quota or the model right, then resume the lane."),
        page="/admin/jobs/lane/",
    )
)
