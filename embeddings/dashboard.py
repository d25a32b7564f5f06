"""The cards about vectors and the provider's budget."""

from django.conf import settings
from django.urls import reverse

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
        detail=f"{present:,.0f} of {total:,.0f} businesses have a vector, {stale:,.0f} are stale",
        read_at=latest[TOTAL].read_at,
        target="100%, none stale",
        trend=[each[PRESENT] / each[TOTAL] if each.get(TOTAL) else None for each in shares],
        url=reverse("admin:directory_business_changelist"),
    )


def budget(look: Look) -> Reading | None:
    """What of the provider's budget was left a moment ago; nothing to show for a provider without one."""
    latest, allowed = look.latest(BUDGET), limits()
    each = {
        TEXTS: (allowed.units_per_minute, "texts of this minute"),
        TOKENS: (allowed.tokens_per_minute, "tokens of this minute"),
        TODAY: (allowed.units_per_day, "texts of today"),
    }
    known = {label: latest[label].value / limit for label, (limit, _) in each.items() if limit and label in latest}
    if not known:
        return None
    parts = [f"{latest[label].value:,.0f} of {each[label][0]:,} {each[label][1]}" for label in known]
    reset = f", anew in {seconds_of(latest[RESET].value)}" if TODAY in known else ""
    return Reading(
        value=f"{min(known.values()):.0%} left",
        detail="; ".join(parts) + reset,
        read_at=next(iter(latest.values())).read_at,
        target=f"at most {settings.ALERT_BUDGET_SHARE:.0%} of the day's used" if TODAY in known else "",
        bad=1 - known.get(TODAY, 1.0) > settings.ALERT_BUDGET_SHARE,
        trend=_course(look, TODAY if TODAY in known else TEXTS),
        url=reverse("admin:embeddings_providerusage_changelist"),
    )


def _course(look: Look, label: str) -> list[float | None]:
    at = {point.at: point.value for point in look.samples(BUDGET, HOUR) if point.label == label}
    return [at.get(moment) for moment in HOUR.moments(look.now)]


register_card(Card(name="coverage", title="Embedding coverage", order=100, read=coverage))
register_card(Card(name="budget", title="Provider budget", order=110, read=budget))
