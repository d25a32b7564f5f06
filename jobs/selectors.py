"""Reading jobs, lanes and workers: shared by API, admin and metrics, so that no two places disagree."""

from typing import Any

from django.db import connection
from django.db.models import OuterRef, QuerySet, Subquery

from jobs.kinds import all_kinds
from jobs.models import JobExecution, Lease
from jobs.states import WAITING, Status


def jobs_with_progress() -> QuerySet[JobExecution]:
    """Return jobs, those that run with the progress that their batch has published."""
    lease = Lease.objects.filter(id=OuterRef("lease_id"))
    return JobExecution.objects.annotate(
        lease_progress=Subquery(lease.values("progress")), lease_steps=Subquery(lease.values("steps"))
    )


#: What each step of an attempt means, by its progress.
STEP_NAMES = {10: "claimed", 30: "text read", 50: "sent", 80: "vector received", 100: "stored"}


def progress_of(job: JobExecution) -> int:
    """Return 0 for a job that waits, 100 for one that is over, in between what its batch has published last."""
    if job.status == Status.RUNNING:
        return int(getattr(job, "lease_progress", None) or 10)
    return 0 if job.status in WAITING else 100


def steps_of(job: JobExecution) -> list[dict[str, Any]]:
    """Return the steps of the attempt under way, or of the last one: [{"progress", "step", "at"}]."""
    steps = getattr(job, "lease_steps", None) or job.steps
    return [{"step": STEP_NAMES.get(step["progress"], ""), **step} for step in steps]


_LANES = """
SELECT name.kind,
       count(job.id) FILTER (WHERE job.status IN ('queued', 'retrying')),
       count(job.id) FILTER (WHERE job.status = 'running'),
       extract(epoch FROM statement_timestamp() - min(job.next_attempt_at)
               FILTER (WHERE job.status IN ('queued', 'retrying') AND job.next_attempt_at <= statement_timestamp())),
       lane.paused_at IS NOT NULL AND (lane.paused_until IS NULL OR lane.paused_until > statement_timestamp()),
       lane.paused_at, lane.paused_until, coalesce(lane.paused_by, ''), coalesce(lane.pause_reason, ''),
       coalesce(lane.circuit, ''), lane.probe_at,
       CASE WHEN lane.closed_until > statement_timestamp() THEN lane.closed_until END
  FROM unnest(%s::text[]) AS name (kind)
  LEFT JOIN jobs_lane AS lane ON lane.kind = name.kind
  LEFT JOIN jobs_jobexecution AS job
         ON job.kind = name.kind AND job.status IN ('queued', 'retrying', 'running')
 GROUP BY name.kind, lane.kind
 ORDER BY name.kind
"""


def lanes() -> list[dict[str, Any]]:
    """Return every lane with what waits and runs in it."""
    kinds = {kind.name: kind for kind in all_kinds()}
    with connection.cursor() as cursor:
        cursor.execute(_LANES, [list(kinds)])
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
