"""The cards about vectors and the provider's budget."""

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from embeddings.gauges import BUDGET, COVERAGE, PRESENT, RESET, STALE, TEXTS, TODAY, TOKENS, TOTAL
from embeddings.quota import limits
from jobs.dashboard.cards import Card, Reading, register_card
from jobs.dashboard.history import seconds_of
from jobs.dashboard.look import Look
from jobs.dashboard.spans import HOUR


def coverage(look: Look) -> Reading | None:
    """How many businesses have a fresh vector, as counted a moment ago."""
    latest = look.latest(COVERAGE)
    if not {TOTAL, PRESENT, STALE} <= set(latest):
        return None
    total, present, stale = (latest[label].value for label in (TOTAL, PRESENT, STALE))
    trend: dict[object, dict[str, float]] = {}
    for point in look.samples(COVERAGE, HOUR):
        trend.setdefault(point.at, {})[point.label] = point.value
    shares = [trend.get(moment, {}) for moment in HOUR.moments(look.now)]
    return Reading(
        value=f"{present / total:.1%}" if total else "-",
        detail=_("%(present)s of %(total)s businesses have a vector, %(stale)s are stale")
        % {"present": f"{present:,.0f}", "total": f"{total:,.0f}", "stale": f"{stale:,.0f}"},
        read_at=latest[TOTAL].read_at,
        target=_("100%, none stale"),
        trend=[each[PRESENT] / each[TOTAL] if each.get(TOTAL) else None for each in shares],
        url=reverse("admin:directory_business_changelist"),
    )


def budget(look: Look) -> Reading | None:
    """What of the provider's budget was left a moment ago; nothing to show for a provider without one."""
    latest, allowed = look.latest(BUDGET), limits()
    each = {
        TEXTS: (allowed.units_per_minute, _("%(left)s of %(all)s texts of this minute")),
        TOKENS: (allowed.tokens_per_minute, _("%(left)s of %(all)s tokens of this minute")),
        TODAY: (allowed.units_per_day, _("%(left)s of %(all)s texts of today")),
    }
    known = {label: latest[label].value / limit for label, (limit, _) in each.items() if limit and label in latest}
    if not known:
        return None
    parts = [each[label][1] % {"left": f"{latest[label].value:,.0f}", "all": f"{each[label][0]:,}"} for label in known]
    detail = "; ".join(parts)
    if TODAY in known:
        detail = _("%(budget)s, anew in %(time)s") % {"budget": detail, "time": seconds_of(latest[RESET].value)}
    return Reading(
        value=_("%(share)s left") % {"share": f"{min(known.values()):.0%}"},
        detail=detail,
        read_at=next(iter(latest.values())).read_at,
        target=_("at most %(share)s of the day's used") % {"share": f"{settings.ALERT_BUDGET_SHARE:.0%}"}
        if TODAY in known
        else "",
        bad=1 - known.get(TODAY, 1.0) > settings.ALERT_BUDGET_SHARE,
        trend=_course(look, TODAY if TODAY in known else TEXTS),
        url=reverse("admin:embeddings_providerusage_changelist"),
    )


def _course(look: Look, label: str) -> list[float | None]:
    at = {point.at: point.value for point in look.samples(BUDGET, HOUR) if point.label == label}
    return [at.get(moment) for moment in HOUR.moments(look.now)]


register_card(Card(name="coverage", title=gettext_noop("Embedding coverage"), order=100, read=coverage))
register_card(Card(name="budget", title=gettext_noop("Provider budget"), order=110, read=budget))
