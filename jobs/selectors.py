"""Reading jobs, lanes and workers: shared by API, admin and metrics, so that no two places disagree."""

from typing import Any

from django.db import connection
from django.db.models import OuterRef, QuerySet, Subquery
from django.utils.translation import gettext_noop

from jobs.kinds import all_kinds
from jobs.models import JobExecution, Lease
from jobs.states import WAITING, Status


def with_progress(jobs: QuerySet[JobExecution]) -> QuerySet[JobExecution]:
    """Return jobs, those that run with the progress that their batch has published."""
    lease = Lease.objects.filter(id=OuterRef("lease_id"))
    return jobs.annotate(lease_progress=Subquery(lease.values("progress")), lease_steps=Subquery(lease.values("steps")))


#: What each step of an attempt means, by its progress.
STEP_NAMES = {
    10: gettext_noop("claimed"),
    30: gettext_noop("text read"),
    50: gettext_noop("sent"),
    80: gettext_noop("vector received"),
    100: gettext_noop("stored"),
}


def progress_of(job: JobExecution) -> int:
    """Return 0 for a job that waits, 100 for one that is over, in between what its batch has published last."""
    if job.status == Status.RUNNING:
        return int(getattr(job, "lease_progress", None) or 10)
    return 0 if job.status in WAITING else 100


def steps_of(job: JobExecution) -> list[dict[str, Any]]:
    """Return the steps of the attempt under way, or of the last one: [{"progress", "step", "at"}]."""
    steps = getattr(job, "lease_steps", None) or job.steps
    return [{"step": STEP_NAMES.get(step["progress"], ""), **step} for step in steps]


#: What runs is found by its leases; what waits, and when the first was due, by the index of due jobs: per lane and
#: priority it gives the earliest one without reading the rest.
_LANES = """
SELECT name.kind, waiting.jobs, running.jobs,
       extract(epoch FROM statement_timestamp() - due.since),
       lane.paused_at IS NOT NULL AND (lane.paused_until IS NULL OR lane.paused_until > statement_timestamp()),
       lane.paused_at, lane.paused_until, coalesce(lane.paused_by, ''), coalesce(lane.pause_reason, ''),
       coalesce(lane.circuit, ''), lane.probe_at,
       CASE WHEN lane.closed_until > statement_timestamp() THEN lane.closed_until END
  FROM unnest(%(kinds)s::text[]) AS name (kind)
  LEFT JOIN jobs_lane AS lane ON lane.kind = name.kind
 CROSS JOIN LATERAL (
       SELECT count(*) AS jobs
         FROM (SELECT FROM jobs_jobexecution
                WHERE kind = name.kind AND status IN ('queued', 'retrying') LIMIT %(limit)s) AS job) AS waiting
 CROSS JOIN LATERAL (
       SELECT count(job.id) AS jobs
         FROM jobs_lease AS lease JOIN jobs_jobexecution AS job ON job.lease_id = lease.id AND job.status = 'running'
        WHERE lease.kind = name.kind) AS running
 CROSS JOIN LATERAL (
       SELECT min(next.due_at) AS since
         FROM unnest(ARRAY[0, 1, 2]) AS level (priority),
              LATERAL (SELECT next_attempt_at AS due_at FROM jobs_jobexecution AS job
                        WHERE job.kind = name.kind AND job.priority = level.priority
                          AND job.status IN ('queued', 'retrying') AND job.next_attempt_at <= statement_timestamp()
                        ORDER BY next_attempt_at LIMIT 1) AS next) AS due
 ORDER BY name.kind
"""


def lanes(limit: int | None = None) -> list[dict[str, Any]]:
    """Return every lane with what waits and runs in it; what waits is counted up to `limit`, by default to the end."""
    kinds = {kind.name: kind for kind in all_kinds()}
    with connection.cursor() as cursor:
        cursor.execute(_LANES, {"kinds": list(kinds), "limit": limit})
        rows = cursor.fetchall()
    return [
        {
            "kind": row[0],
            "concurrency": kinds[row[0]].concurrency,
            "batch_size": kinds[row[0]].batch_size,
            "waiting": row[1],
            "running": row[2],
            "oldest_waiting_seconds": None if row[3] is None else round(float(row[3]), 3),
            "paused": bool(row[4]),
            "paused_at": row[5] if row[4] else None,
            "paused_until": row[6] if row[4] else None,
            "paused_by": row[7] if row[4] else "",
            "pause_reason": row[8] if row[4] else "",
            "circuit": row[9] if row[4] else "",
            "probe_at": row[10] if row[4] else None,
            "closed_until": row[11],
        }
        for row in rows
    ]
