"""Dead letters, jobs that wait, jobs that fail."""

from django.utils.translation import gettext_noop

from jobs.alerts.names import DELIVER_ALERT
from jobs.alerts.rules import AlertRule, Finding, Severity, Unit, register_rule
from jobs.alerts.sql import COUNT_LIMIT, ask, counted, limit_beyond
from jobs.kinds import all_kinds

#: Jobs that must have ended before their failure rate means anything.
MIN_JOBS = 20

_DEAD_LETTERS = """
SELECT count(*) FROM (SELECT FROM jobs_deadletter
                       WHERE resolved_at IS NULL AND kind <> %(deliveries)s LIMIT %(limit)s) AS letter
"""

_WAITING = """
SELECT count(*) FROM (SELECT FROM jobs_jobexecution
                       WHERE status IN ('queued', 'retrying') AND kind <> %(deliveries)s LIMIT %(limit)s) AS job
"""

#: Per lane and priority the index gives the earliest one without reading the rest. Lanes whose kind nobody declares
#: any more count too: their jobs wait for ever.
_OLDEST = """
SELECT coalesce(max(extract(epoch FROM statement_timestamp() - next.next_attempt_at)), 0),
       (array_agg(lane.kind ORDER BY next.next_attempt_at))[1]
  FROM (SELECT unnest(%(kinds)s::text[]) UNION SELECT kind FROM jobs_lane) AS lane (kind),
       unnest(ARRAY[0, 1, 2]) AS level (priority),
       LATERAL (SELECT next_attempt_at FROM jobs_jobexecution AS job
                 WHERE job.kind = lane.kind AND job.priority = level.priority AND job.status IN ('queued', 'retrying')
                   AND job.next_attempt_at <= statement_timestamp()
                 ORDER BY next_attempt_at LIMIT 1) AS next
 WHERE lane.kind <> %(deliveries)s
"""

_FAILED = """
SELECT count(*) FILTER (WHERE status = 'dead'), count(*)
  FROM (SELECT status FROM jobs_jobexecution
         WHERE finished_at > statement_timestamp() - interval '1 hour' AND status IN ('succeeded', 'dead')
           AND kind <> %(deliveries)s
         ORDER BY finished_at DESC LIMIT %(limit)s) AS job
"""


def dead_letters(threshold: float) -> Finding:
    """Count the dead letters that nobody has settled."""
    limit = limit_beyond(threshold)
    (count,) = ask(_DEAD_LETTERS, {"deliveries": DELIVER_ALERT, "limit": limit})
    return Finding(count > threshold, count, f"Unsettled dead letters: {counted(count, limit)}.")


def waiting_jobs(threshold: float) -> Finding:
    """Count the jobs that wait."""
    limit = limit_beyond(threshold)
    (count,) = ask(_WAITING, {"deliveries": DELIVER_ALERT, "limit": limit})
    return Finding(count > threshold, count, f"Waiting jobs: {counted(count, limit)}.")


def oldest_waiting(threshold: float) -> Finding:
    """Measure how long the oldest job has been due."""
    kinds = [kind.name for kind in all_kinds()]
    seconds, kind = ask(_OLDEST, {"deliveries": DELIVER_ALERT, "kinds": kinds})
    seconds = float(seconds)
    if kind is None:
        return Finding(False, 0.0, "No job is due.")
    return Finding(
        seconds > threshold, seconds, f"A job of the lane {kind} has been due for {seconds / 60:,.0f} minutes."
    )


def failure_rate(threshold: float) -> Finding:
    """Compare the jobs that died within the last hour with all that ended in it."""
    dead, ended = ask(_FAILED, {"deliveries": DELIVER_ALERT, "limit": COUNT_LIMIT})
    if ended < MIN_JOBS:
        return Finding(False, None, f"Fewer than {MIN_JOBS} jobs ended in the last hour: too few to tell.")
    share = dead / ended
    of = "the latest" if ended == COUNT_LIMIT else "the"
    return Finding(
        share > threshold, share, f"{dead:,} of {of} {ended:,} jobs that ended in the last hour failed ({share:.1%})."
    )


register_rule(
    AlertRule(
        name="dead_letters",
        title=gettext_noop("Too many dead letters"),
        check=dead_letters,
        says=(gettext_noop("Unsettled dead letters: %(number)s."),),
        setting="ALERT_DEAD_LETTERS",
        severity=Severity.WARNING,
        next_step=gettext_noop("See their causes, then retry or resolve them."),
        page="/admin/jobs/deadletter/?resolution__exact=",
    )
)
register_rule(
    AlertRule(
        name="waiting_jobs",
        title=gettext_noop("Too many jobs wait"),
        check=waiting_jobs,
        says=(gettext_noop("Waiting jobs: %(number)s."),),
        setting="ALERT_WAITING_JOBS",
        severity=Severity.WARNING,
        next_step=gettext_noop("See whether a lane is paused or out of quota; else start more workers."),
        page="/admin/jobs/lane/",
    )
)
register_rule(
    AlertRule(
        name="oldest_waiting",
        title=gettext_noop("A job waits too long"),
        check=oldest_waiting,
        says=(
            gettext_noop("No job is due."),
            gettext_noop("A job of the lane %(kind)s has been due for %(number)s minutes."),
        ),
        setting="ALERT_OLDEST_WAITING",
        unit=Unit.SECONDS,
        next_step=gettext_noop("See whether its lane is paused or out of quota, and whether workers are alive."),
        page="/admin/jobs/lane/",
    )
)
register_rule(
    AlertRule(
        name="failure_rate",
        title=gettext_noop("Too many jobs fail"),
        check=failure_rate,
        says=(
            gettext_noop("Fewer than %(number)s jobs ended in the last hour: too few to tell."),
            gettext_noop("%(dead)s of the latest %(ended)s jobs that ended in the last hour failed (%(share)s)."),
            gettext_noop("%(dead)s of the %(ended)s jobs that ended in the last hour failed (%(share)s)."),
        ),
        setting="ALERT_FAILURE_RATE",
        unit=Unit.SHARE,
        next_step=gettext_noop("See what the latest failed jobs have in common."),
        page="/admin/jobs/jobexecution/?status__exact=dead",
    )
)
