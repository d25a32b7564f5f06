"""The rule about the provider's daily budget."""

from functools import cache

from django.conf import settings

from embeddings.quota import embedding_throttle, history
from jobs.alerts.rules import AlertRule, Finding, Severity, Unit, register_rule
from jobs.redis import IMPATIENT, connect
from jobs.throttle import Throttle


@cache
def _impatient(shared: Throttle) -> Throttle:
    """Return the same budget for somebody who can't wait long for Redis."""
    return Throttle(
        shared.name,
        shared.limits,
        history=history,
        call_deadline=settings.EMBEDDING_TIMEOUT,
        client=connect(timeout=IMPATIENT),
    )


def _throttle() -> Throttle:
    """Return the budget of the model that serves now."""
    return _impatient(embedding_throttle())


def daily_budget(threshold: float) -> Finding:
    """Compare the texts of today with what the provider allows; when Redis can't tell, the rows do."""
    allowed = settings.EMBEDDING_RPD
    if not allowed:
        return Finding(False, None, "The provider has no daily budget.")
    standing = _throttle().look()
    used = history().units_today if standing is None else standing.units_today
    share = used / allowed
    return Finding(share > threshold, share, f"{used:,} of {allowed:,} texts of today are used ({share:.0%}).")


register_rule(
    AlertRule(
        name="daily_budget",
        title="The daily budget is nearly used up",
        check=daily_budget,
        setting="ALERT_BUDGET_SHARE",
        unit=Unit.SHARE,
        severity=Severity.WARNING,
        next_step="At the limit jobs wait until midnight Pacific time. Hold bulk work back, or ask for a larger quota.",
        page="admin:embeddings_providerusage_changelist",
    )
)
