"""What waits and is due, asked of the rows."""

from collections.abc import Sequence

from django.db import connection

from jobs.kinds import get_kind

_DUE = """
SELECT kind FROM unnest(%s::text[]) AS lane (kind)
 WHERE EXISTS (SELECT FROM jobs_jobexecution AS job
                WHERE job.kind = lane.kind AND job.status IN ('queued', 'retrying')
                  AND job.next_attempt_at <= statement_timestamp())
   AND NOT EXISTS (SELECT FROM jobs_lane
                    WHERE jobs_lane.kind = lane.kind
                      AND (paused_at IS NOT NULL AND (paused_until IS NULL OR paused_until > statement_timestamp())
                           OR closed_until > statement_timestamp() OR wake_at > statement_timestamp()))
 UNION
SELECT kind FROM jobs_lane WHERE kind = ANY(%s) AND paused_at IS NOT NULL AND probe_at <= statement_timestamp()
"""

#: Per lane and priority the index gives the earliest one without reading the rest.
_NEXT = """
SELECT extract(epoch FROM least(min(next.next_attempt_at),
                                (SELECT min(wake_at) FROM jobs_lane
                                  WHERE kind = ANY(%s) AND wake_at > statement_timestamp()))
                          - statement_timestamp())
  FROM unnest(%s::text[]) AS lane (kind), unnest(ARRAY[0, 1, 2]) AS level (priority),
       LATERAL (SELECT next_attempt_at FROM jobs_jobexecution AS job
                 WHERE job.kind = lane.kind AND job.priority = level.priority AND job.status IN ('queued', 'retrying')
                   AND job.next_attempt_at > statement_timestamp()
                 ORDER BY next_attempt_at LIMIT 1) AS next
"""


def due_lanes(kinds: Sequence[str]) -> list[str]:
    """Return those of the lanes that can do something now: they have a job due and may start it, or a probe is due."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE, [list(kinds), [name for name in kinds if get_kind(name).probe is not None]])
        return [row[0] for row in cursor.fetchall()]


def is_due(kind: str) -> bool:
    """Tell whether the lane has a job due now and is not paused."""
    return bool(due_lanes([kind]))


def seconds_until_due(kinds: Sequence[str]) -> float | None:
    """Return the seconds until the next waiting job becomes due, or a lane has slept enough; None for neither."""
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, [list(kinds)] * 2)
        seconds = cursor.fetchone()[0]
    return None if seconds is None else float(seconds)
