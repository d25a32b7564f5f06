"""The charts of jobs: what they ended in, how long they waited and ran, how many waited."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from jobs.dashboard.charts import Chart, Series, bars, lines
from jobs.dashboard.look import Look
from jobs.gauges import WAITING
from jobs.history.buckets import Histogram, added, quantile
from jobs.history.tallies import Counted, group_of
from jobs.models import Step

#: What attempts end in: the first is drawn at the bottom, failures on top of it, where nothing hides them.
GROUPS = {
    "succeeded": "good",
    "cancelled": "quiet",
    "retrying": "warning",
    "dead": "bad",
}
_NAMES = {"retrying": gettext_noop("failed, tried again")}
QUANTILES = {"p50": (0.5, "first"), "p95": (0.95, "second"), "p99": (0.99, "third")}


def charts(look: Look) -> list[Chart]:
    """Return all of them."""
    return [outcomes(look), waits(look), runs(look), depth(look)]


def outcomes(look: Look) -> Chart:
    """What attempts ended in."""
    moments = look.span.moments(look.now)
    at = {moment: dict.fromkeys(GROUPS, 0) for moment in moments}
    for counted in look.tallies():
        if counted.at in at:
            at[counted.at][group_of(counted.outcome)] += counted.count.jobs
    series = [
        Series(_(_NAMES.get(group, group)), style, [float(at[moment][group]) for moment in moments])
        for group, style in GROUPS.items()
    ]
    told = ", ".join(f"{sum(value or 0 for value in each.values):,.0f} {each.name}" for each in series)
    title = (
        _("Attempts that ended, per minute") if look.span.step == Step.MINUTE else _("Attempts that ended, per hour")
    )
    return bars(
        "outcomes",
        title,
        look.span,
        look.now,
        series,
        description=_within(look, told),
    )


def waits(look: Look) -> Chart:
    """How long jobs that succeeded waited from due to claimed."""
    return _times(look, "waits", _("Wait, from due to claimed"), lambda counted: counted.count.waited)


def runs(look: Look) -> Chart:
    """How long attempts took from claimed to ended."""
    return _times(look, "runs", _("Run time, from claimed to ended"), lambda counted: counted.count.ran)


def _times(look: Look, name: str, title: str, histogram: Callable[[Counted], Histogram]) -> Chart:
    moments = look.span.moments(look.now)
    at: dict[datetime, Counter[int]] = {}
    for counted in look.tallies():
        at.setdefault(counted.at, Counter()).update(histogram(counted))
    series = [
        Series(label, style, [quantile(at[moment], share) if moment in at else None for moment in moments])
        for label, (share, style) in QUANTILES.items()
    ]
    everything = added(at[moment] for moment in moments if moment in at)
    overall = {label: quantile(everything, share) for label, (share, _) in QUANTILES.items()}
    told = ", ".join(f"{label} {seconds_of(value)}" for label, value in overall.items() if value is not None)
    return lines(
        name,
        title,
        look.span,
        look.now,
        series,
        description=_within(look, told or _("nothing ended")),
        unit=_(" s"),
    )


def depth(look: Look) -> Chart:
    """How many jobs waited at most."""
    moments = look.span.moments(look.now)
    at: dict[datetime, float] = {}
    for point in look.samples(WAITING):
        at[point.at] = at.get(point.at, 0.0) + point.peak
    highest = max(at.values(), default=0.0)
    return lines(
        "depth",
        _("Waiting jobs, at most"),
        look.span,
        look.now,
        [Series(_("waiting"), "first", [at.get(moment) for moment in moments])],
        description=_within(look, _("%(number)s at most") % {"number": f"{highest:,.0f}"}),
    )


def _within(look: Look, told: str) -> str:
    return _("Within %(span)s: %(told)s.") % {"span": _(look.span.title), "told": told}


def seconds_of(seconds: float) -> str:
    """Return a duration as a person reads it."""
    if seconds < 1:
        return _("%(number)s ms") % {"number": f"{seconds * 1000:.0f}"}
    if seconds < 120:
        return _("%(number)s s") % {"number": f"{seconds:.1f}"}
    if seconds < 7200:
        return _("%(number)s min") % {"number": f"{seconds / 60:,.0f}"}
    return _("%(number)s h") % {"number": f"{seconds / 3600:,.1f}"}
