"""Whether all is well; if not, what is wrong, the most urgent first, each with its next step."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.http import HttpRequest

from jobs.alerts.alert_rules.lanes import paused_lanes
from jobs.alerts.alert_rules.workers import workers_told
from jobs.alerts.names import DELIVER_ALERT
from jobs.alerts.rules import Severity
from jobs.alerts.standing import UNKNOWN, Standing, standings
from jobs.dashboard.look import Look

_URGENCY = {Severity.CRITICAL: 0, Severity.WARNING: 1}


def standings_of(look: Look) -> list[Standing]:
    """Return how every rule stands, those that fire first.

    What the look itself tells need not wait until the leader evaluates the rules.
    """
    paused = {
        lane["kind"]: (lane["circuit"], lane["pause_reason"])
        for lane in look.lanes
        if lane["circuit"] and lane["kind"] != DELIVER_ALERT
    }
    return standings({"no_worker": workers_told(len(look.workers_alive)), "provider_paused": paused_lanes(paused)})


def read(look: Look, request: HttpRequest) -> Mapping[str, Any]:
    """Return the context of the verdict."""
    told = standings_of(look)
    firing = [replace(each, message=each.rule.retold(each.message)) for each in told if each.firing]
    return {
        "problems": sorted(firing, key=lambda each: (_URGENCY[each.rule.severity], each.rule.name)),
        "unknown": [each for each in told if each.state == UNKNOWN],
        "rules": len(told),
    }
