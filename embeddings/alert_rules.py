"""The rule about the provider's daily budget."""

from django.conf import settings
from django.utils.translation import gettext_noop

from embeddings.quota import history, impatient_throttle
from jobs.alerts.rules import AlertRule, Finding, Severity, Unit, register_rule


def daily_budget(threshold: float) -> Finding:
    """Compare the texts of today with what the provider allows; when Redis can't tell, the rows do."""
    allowed = settings.EMBEDDING_RPD
    if not allowed:
        return Finding(False, None, "The provider has no daily budget.")
    standing = impatient_throttle().look()
    used = history().units_today if standing is None else standing.units_today
    share = used / allowed
    return Finding(share > threshold, share, f"{used:,} of {allowed:,} texts of today are used ({share:.0%}).")


register_rule(
    AlertRule(
        name="daily_budget",
        title=gettext_noop("The daily budget is nearly used up"),
        check=daily_budget,
        says=(
            gettext_noop("The provider has no daily budget."),
            gettext_noop("%(used)s of %(all)s texts of today are used (%(share)s)."),
        ),
        setting="ALERT_BUDGET_SHARE",
        unit=Unit.SHARE,
        severity=Severity.WARNING,
        next_step=gettext_noop(
            "At the limit jobs wait until midnight Pacific time. Hold bulk work back, or ask for a larger quota."
        ),
        page="/admin/embeddings/providerusage/",
    )
)
