"""When work will be done that spends a provider's budget: from the measured rate and from what the budgets allow."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from jobs import clock
from jobs.kinds import get_kind
from jobs.runs.progress import Progress
from jobs.throttle import Limits, Throttle
from jobs.throttle.throttle import WINDOW, Spent

#: Seconds that a unit counts for.
_WINDOW = WINDOW / 1000
_DAY = 86_400.0
#: Below this share of what the budget allows, it is not the budget that holds the work up.
_BOUND = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Budgets:
    """What is allowed, and what of it is spent now."""

    limits: Limits
    #: What counts within the last minute, each with the seconds until it no longer does.
    spent: Sequence[Spent] = ()
    units_today: int = 0
    seconds_until_reset: float = _DAY
    #: Seconds for which nothing is granted at all.
    blocked_for: float = 0.0

    @classmethod
    def of(cls, throttle: Throttle | None) -> "Budgets":
        """Read a throttle; without Redis nothing is known to be spent."""
        if throttle is None or throttle.limits.unlimited:
            return cls(limits=Limits())
        standing, spent = throttle.look(), throttle.spent()
        if standing is None:
            return cls(limits=throttle.limits)
        return cls(
            limits=throttle.limits,
            spent=spent,
            units_today=standing.units_today,
            seconds_until_reset=throttle.seconds_until_reset(),
            blocked_for=standing.blocked_for,
        )

    def per_window(self, tokens_each: float) -> float:
        """Return the texts that ordinary work may send within a minute's window; infinite without a limit."""
        texts = _ordinary(self.limits, self.limits.units_per_minute)
        tokens = _ordinary(self.limits, self.limits.tokens_per_minute)
        return max(1.0, min(texts, tokens // tokens_each if tokens_each else math.inf))

    def left_today(self) -> float:
        """Return the texts that ordinary work may still send today; infinite without a limit."""
        return max(0.0, _ordinary(self.limits, self.limits.units_per_day) - self.units_today)


def _ordinary(limits: Limits, limit: int) -> float:
    return limits.allowed(limit) - limits.reserved(limit) if limit else math.inf


def seconds_under(budgets: Budgets, texts: int, tokens_each: float = 0.0) -> float:
    """Return the least seconds in which `texts` texts can be sent within the budgets.

    Within a window of a minute, what was spent becomes free when its minute is over, and so again in every window that
    follows. What a day does not allow waits for the next one.
    """
    allowed = budgets.per_window(tokens_each)
    per_day = _ordinary(budgets.limits, budgets.limits.units_per_day)
    at, left = budgets.blocked_for, float(texts)
    chunks = [(max(0.0, moment - at), number) for moment, number in _chunks(budgets, allowed, tokens_each)]
    if per_day == math.inf or left <= 0:
        return at + _after(left, allowed, chunks)
    until_reset = max(0.0, budgets.seconds_until_reset - at)
    today = min(budgets.left_today(), _within(until_reset, allowed, chunks))
    if left <= today:
        return at + _after(left, allowed, chunks)
    left -= today
    anew = [(0.0, allowed)]
    per_day = min(per_day, _within(_DAY, allowed, anew))
    days = math.floor((left - 1) / per_day)
    return max(at, budgets.seconds_until_reset) + days * _DAY + _after(left - days * per_day, allowed, anew)


#: When within a window how many texts may be sent.
_Chunks = Sequence[tuple[float, float]]


def _within(seconds: float, allowed: float, chunks: _Chunks) -> float:
    """Return how many texts may be sent in a span."""
    if allowed == math.inf:
        return math.inf
    windows, rest = divmod(seconds, _WINDOW)
    return windows * allowed + sum(number for moment, number in chunks if moment <= rest)


def _chunks(budgets: Budgets, allowed: float, tokens_each: float) -> _Chunks:
    """Return what is free now, then what becomes free; all in all what is allowed."""
    if allowed == math.inf:
        return [(0.0, math.inf)]
    freed = [
        (each.free_in, max(float(each.units), each.tokens / tokens_each if tokens_each else 0.0))
        for each in budgets.spent
    ]
    free = allowed - sum(texts for _, texts in freed)
    chunks = [(0.0, max(0.0, free))]
    # Urgent work may have spent the reserve as well: what becomes free first makes up for that.
    debt = max(0.0, -free)
    for moment, texts in sorted(freed):
        chunks.append((moment, max(0.0, texts - debt)))
        debt = max(0.0, debt - texts)
    return chunks


def _after(texts: float, allowed: float, chunks: _Chunks) -> float:
    """Return the seconds until the last of `texts` texts may be sent."""
    if texts <= 0 or allowed == math.inf:
        return 0.0
    windows, rest = divmod(texts - 1, allowed)
    reached = 0.0
    for moment, number in chunks:
        reached += number
        if rest < reached:
            return windows * _WINDOW + moment
    return windows * _WINDOW + chunks[-1][0]


@dataclass(frozen=True, slots=True)
class Forecast:
    """When it will be done; None: nobody can tell."""

    seconds: float | None
    #: In words, e.g. "1,240 left, 15 per minute, 300 left today: Thursday 14:10 UTC".
    sentence: str


def forecast(progress: Progress) -> Forecast:
    """Say when a run will be done."""
    if progress.run.finished_at is not None:
        return Forecast(None, _ended(progress))
    budgets = Budgets.of(get_kind(progress.run.kind).throttle())
    tokens_each = _tokens_each(budgets)
    quota = seconds_under(budgets, progress.left, tokens_each)
    rate = progress.rate
    # Averaged over all of it, a run that the budget holds up is never slower than the budget allows.
    overall = progress.processed / progress.elapsed_seconds if progress.elapsed_seconds > 0 else 0.0
    allowed = budgets.per_window(tokens_each)
    held_up = allowed < math.inf and overall >= _BOUND * allowed / _WINDOW
    if progress.left == 0:
        seconds: float | None = 0.0
    elif held_up or budgets.left_today() < progress.left:
        seconds = quota
    elif rate:
        seconds = max(quota, progress.left / rate)
    else:
        seconds = quota or None
    return Forecast(seconds, _sentence(progress.left, budgets, tokens_each, rate, seconds, progress.read_at))


def _ended(progress: Progress) -> str:
    counts = {"processed": f"{progress.processed:,}", "total": f"{progress.run.total:,}"}
    return _("%(state)s: %(processed)s of %(total)s") % {"state": _(progress.run.state), **counts}


def _tokens_each(budgets: Budgets) -> float:
    """Return the tokens of a text, as those of the last minute had them."""
    units = sum(each.units for each in budgets.spent)
    return sum(each.tokens for each in budgets.spent) / units if units else 0.0


def _sentence(
    left: int, budgets: Budgets, tokens_each: float, rate: float | None, seconds: float | None, now: datetime
) -> str:
    parts = [_("%(number)s left") % {"number": f"{left:,}"}]
    allowed = budgets.per_window(tokens_each)
    if allowed < math.inf:
        parts.append(_("%(number)s per minute") % {"number": f"{allowed:,.0f}"})
    elif rate:
        parts.append(
            _("%(number)s per second") % {"number": f"{rate:,.0f}"}
            if rate >= 1
            else _("%(number)s per minute") % {"number": f"{60 * rate:,.1f}"}
        )
    if budgets.left_today() < math.inf:
        parts.append(_("%(number)s left today") % {"number": f"{budgets.left_today():,.0f}"})
    return f"{', '.join(parts)}: {_moment(seconds, now)}"


def _moment(seconds: float | None, now: datetime) -> str:
    if seconds is None:
        return _("no telling when")
    end = now + timedelta(seconds=seconds)
    if end.date() == now.date():
        return f"{end:%H:%M} UTC"
    return f"{date_format(end, 'l H:i')} UTC" if end - now < timedelta(days=6) else f"{end:%Y-%m-%d %H:%M} UTC"


def forecast_new(kind: str, texts: int, tokens: int) -> Forecast:
    """Say when work would be done that is not begun: by the budgets alone."""
    budgets = Budgets.of(get_kind(kind).throttle())
    tokens_each = tokens / texts if texts else 0.0
    seconds = seconds_under(budgets, texts, tokens_each) if not budgets.limits.unlimited else None
    return Forecast(seconds, _sentence(texts, budgets, tokens_each, None, seconds, clock.now()))
