"""How a job begins: a new waiting row, or the one that waits already for the same subject."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from django.db import connection
from django.utils import timezone

from jobs.actor import Actor
from jobs.arrays import text_array, uuid_array
from jobs.models import Run
from jobs.states import Priority, Status


@dataclass(frozen=True, slots=True)
class Entry:
    """The waiting job of a subject; `created` is False when it was there before."""

    job_id: UUID
    subject: str
    status: str
    created: bool
    #: The run that the job belongs to.
    run_id: UUID | None = None


def origin(actor: Actor) -> dict[str, str]:
    """Return the metadata that says who asks for a job, through which door, and when."""
    return {
        "triggered_by": actor.triggered_by,
        "triggered_at": timezone.now().isoformat(),
        "source": actor.source,
    }


#: What a run asked for and somebody else wants too is no bulk job any more: a stop of the run leaves it alone.
#:
#: Joining locks the row until the caller's transaction ends, and a claim skips locked rows: a worker can't take the
#: job before the change that joined it is visible. Rows are taken in the order of their subjects, so that two bulk
#: calls over the same subjects wait for each other instead of deadlocking. They fall due in the order in which they
#: were given, a microsecond apart. Who asks knows all about a job that is new: only others are told.
_ENTER = """
WITH new AS MATERIALIZED (
    SELECT * FROM unnest(%(ids)s::uuid[], %(subjects)s::text[], %(extras)s::jsonb[]) WITH ORDINALITY
                  AS new (id, subject, metadata, place)
), entered AS (
    INSERT INTO jobs_jobexecution AS job
        (id, kind, subject, operation, priority, status, max_retries, metadata, run_id, created_at, next_attempt_at)
    SELECT new.id, %(kind)s, new.subject, %(operation)s, %(priority)s, 'queued', %(max_retries)s,
           %(metadata)s::jsonb || coalesce(new.metadata, '{}'), %(run_id)s, statement_timestamp(),
           statement_timestamp() + (new.place - 1) * interval '1 microsecond'
      FROM new
     ORDER BY new.subject
        ON CONFLICT (kind, subject) WHERE status IN ('queued', 'retrying') DO UPDATE
       SET priority = least(job.priority, excluded.priority),
           operation = CASE WHEN job.operation <> 'bulk' OR job.run_id IS NOT DISTINCT FROM excluded.run_id
                            THEN job.operation
                            WHEN excluded.operation = 'bulk' THEN 'update'
                            ELSE excluded.operation END,
           run_id = coalesce(job.run_id, excluded.run_id)
    RETURNING job.id, job.subject, job.status, job.run_id
)
SELECT subject, id, status, run_id FROM entered WHERE id NOT IN (SELECT id FROM new)
"""


def enter(
    kind: str,
    subjects: Sequence[str],
    *,
    operation: str,
    priority: Priority,
    max_retries: int,
    metadata: Mapping[str, Any],
    extras: Sequence[Mapping[str, Any]] | None = None,
    run: Run | None = None,
) -> list[Entry]:
    """Write or join the waiting job of each of `subjects`, in one statement; return them in the same order.

    `metadata` is stored with every new job, `extras` (parallel to `subjects`) added to each. Subjects must be distinct.
    """
    ids = [uuid4() for _ in subjects]
    with connection.cursor() as cursor:
        cursor.execute(
            _ENTER,
            {
                "kind": kind,
                "operation": operation,
                "priority": priority.value,
                "max_retries": max_retries,
                "metadata": json.dumps(metadata),
                "run_id": run.id if run else None,
                "ids": uuid_array(ids),
                "subjects": text_array(subjects),
                "extras": text_array(json.dumps(extra) for extra in extras or ()),
            },
        )
        joined = {subject: known for subject, *known in cursor.fetchall()}
    run_id = run.id if run else None
    return [
        Entry(new_id, subject, Status.QUEUED.value, created=True, run_id=run_id)
        if (known := joined.get(subject)) is None
        else Entry(known[0], subject, known[1], created=False, run_id=known[2])
        for subject, new_id in zip(subjects, ids, strict=True)
    ]
