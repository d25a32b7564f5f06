"""The cards about jobs, dead letters and workers."""

from collections.abc import Callable, Sequence

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from jobs import gauges
from jobs.alerts.alert_rules.queue import MIN_JOBS
from jobs.dashboard.cards import Card, Reading, register_card
from jobs.dashboard.history import seconds_of
from jobs.dashboard.look import COUNT_LIMIT, Look
from jobs.dashboard.spans import HOUR
from jobs.history.tallies import group_of

#: Minutes that the rate is averaged over.
RATE_MINUTES = 5


def capped(count: int) -> str:
    """Return a number of waiting jobs of one lane, or of several, none of which was counted beyond the limit."""
    return f"{COUNT_LIMIT:,}+" if count >= COUNT_LIMIT else f"{count:,}"


def _sampled(look: Look, gauge: str) -> list[float | None]:
    """Return the sums over all labels, minute by minute."""
    at: dict[object, float] = {}
    for point in look.samples(gauge, HOUR):
        at[point.at] = at.get(point.at, 0.0) + point.value
    return [at.get(moment) for moment in HOUR.moments(look.now)]


def _by_minute(look: Look, of: Callable[[str], bool]) -> list[int]:
    """Return how many attempts ended in a group of those that `of` tells, minute by minute."""
    at = dict.fromkeys(HOUR.moments(look.now), 0)
    for counted in look.tallies(HOUR):
        if counted.at in at and of(group_of(counted.outcome)):
            at[counted.at] += counted.count.jobs
    return list(at.values())


def waiting(look: Look) -> Reading:
    """Jobs that wait, and how long the oldest has been due."""
    count = sum(lane["waiting"] for lane in look.lanes)
    oldest = max((lane["oldest_waiting_seconds"] or 0.0 for lane in look.lanes), default=0.0)
    return Reading(
        value=capped(count),
        detail=_("the oldest is due for %(time)s") % {"time": seconds_of(oldest)} if oldest else _("none is due"),
        target=_("at most %(jobs)s, due at most %(time)s")
        % {"jobs": f"{settings.ALERT_WAITING_JOBS:,.0f}", "time": seconds_of(settings.ALERT_OLDEST_WAITING)},
        bad=count > settings.ALERT_WAITING_JOBS or oldest > settings.ALERT_OLDEST_WAITING,
        trend=_sampled(look, gauges.WAITING),
        url=reverse("admin:jobs_jobexecution_changelist") + "?status__in=queued,retrying",
    )


def running(look: Look) -> Reading:
    """Jobs that workers have in hand."""
    busy = sum(1 for lane in look.lanes if lane["running"])
    return Reading(
        value=f"{sum(lane['running'] for lane in look.lanes):,}",
        detail=_("in %(busy)s of %(all)s lanes") % {"busy": busy, "all": len(look.lanes)},
        trend=_sampled(look, gauges.RUNNING),
        url=reverse("admin:jobs_jobexecution_changelist") + "?status__exact=running",
    )


def finished(look: Look) -> Reading:
    """Jobs that ended, a minute."""
    ended = _by_minute(look, lambda group: group != "retrying")
    # The last minute is not over.
    rate = sum(ended[-1 - RATE_MINUTES : -1]) / RATE_MINUTES
    return Reading(
        value=f"{rate:,.0f}" if rate >= 10 or rate == 0 else f"{rate:.1f}",
        detail=_("a minute, over the last %(minutes)s; %(number)s in the last hour")
        % {"minutes": RATE_MINUTES, "number": f"{sum(ended):,}"},
        trend=ended,
        url=reverse("admin:jobs_jobexecution_changelist"),
    )


def failure_rate(look: Look) -> Reading:
    """The share of the jobs that ended in the last hour which are dead."""
    dead, good = _by_minute(look, lambda group: group == "dead"), _by_minute(look, lambda group: group == "succeeded")
    ended = sum(dead) + sum(good)
    share = sum(dead) / ended if ended else 0.0
    return Reading(
        value=f"{share:.1%}" if ended else "-",
        detail=_("%(dead)s of %(ended)s jobs in the last hour") % {"dead": f"{sum(dead):,}", "ended": f"{ended:,}"}
        if ended
        else _("no job ended in the last hour"),
        target=_("at most %(number)s") % {"number": f"{settings.ALERT_FAILURE_RATE:.0%}"},
        bad=ended >= MIN_JOBS and share > settings.ALERT_FAILURE_RATE,
        trend=_shares(dead, good),
        url=reverse("admin:jobs_jobexecution_changelist") + "?status__exact=dead",
    )


def _shares(dead: Sequence[int], good: Sequence[int]) -> list[float | None]:
    return [bad / (bad + fine) if bad + fine else None for bad, fine in zip(dead, good, strict=True)]


def dead_letters(look: Look) -> Reading | None:
    """Dead letters that nobody has settled."""
    latest = look.latest(gauges.DEAD_LETTERS).get("")
    if latest is None:
        return None
    return Reading(
        value=f"{latest.value:,.0f}",
        detail=_("nobody has settled") if latest.value else _("nothing to settle"),
        read_at=latest.read_at,
        target=_("at most %(number)s") % {"number": f"{settings.ALERT_DEAD_LETTERS:,.0f}"},
        bad=latest.value > settings.ALERT_DEAD_LETTERS,
        trend=_sampled(look, gauges.DEAD_LETTERS),
        url=reverse("admin:deadletters_causes"),
    )


def workers_alive(look: Look) -> Reading:
    """Worker processes that beat."""
    alive = look.workers_alive
    held = sum(1 for worker in alive if worker.memory_high)
    threads = sum(worker.threads for worker in alive)
    return Reading(
        value=f"{len(alive)}",
        detail=_("%(threads)s threads, %(held)s held up by memory") % {"threads": threads, "held": held}
        if held
        else _("%(threads)s threads") % {"threads": threads},
        target=_("at least 1"),
        bad=not alive,
        trend=_sampled(look, gauges.WORKERS),
        url=reverse("admin:jobs_workerprocess_changelist"),
    )


for _order, (_name, _title, _read) in enumerate(
    (
        ("waiting", gettext_noop("Waiting"), waiting),
        ("running", gettext_noop("Running"), running),
        ("finished", gettext_noop("Finished"), finished),
        ("failure_rate", gettext_noop("Failure rate"), failure_rate),
        ("dead_letters", gettext_noop("Dead letters"), dead_letters),
        ("workers", gettext_noop("Workers alive"), workers_alive),
    )
):
    register_card(Card(name=_name, title=_title, order=10 * (_order + 1), read=_read))
