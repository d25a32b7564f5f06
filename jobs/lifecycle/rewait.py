"""Ending an attempt without success: jobs that wait again, or do so no more.

A job waits again under the same unique index as a new one. Two things follow. Where a newer job waits for the same
subject already, it does the work, and this one ends as cancelled. And rows are written one by one in the order of their
subjects, the order in which `enter` writes: in another order the two could deadlock, and an editor's save would fail.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction

#: How a job ends whose work a newer one does.
SUPERSEDED = "superseded"

_END = """
UPDATE jobs_jobexecution AS job
   SET status = CASE WHEN newer.waits THEN 'cancelled' ELSE %(status)s END,
       result = CASE WHEN newer.waits THEN 'superseded' ELSE '' END,
       finished_at = CASE WHEN newer.waits OR %(status)s = 'dead' THEN statement_timestamp() END,
       next_attempt_at = statement_timestamp() + %(delay)s * interval '1 second',
       attempt = %(attempt)s, rate_limits = %(rate_limits)s, deliveries = %(deliveries)s, lease_id = NULL,
       error_class = %(error_class)s, error = %(error)s, steps = %(steps)s::jsonb
  FROM (SELECT EXISTS (SELECT FROM jobs_jobexecution AS other
                        WHERE other.kind = %(kind)s AND other.subject = %(subject)s
                          AND other.status IN ('queued', 'retrying')) AS waits) AS newer
 WHERE job.id = %(id)s AND job.lease_id = %(lease_id)s AND job.status = 'running'
"""

#: A save may make a waiting job for a subject between our look for one and our own return to waiting; the unique
#: index then refuses us, and the next look sees it.
_TRIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A running job whose attempt ended without success, and what becomes of it."""

    id: UUID
    kind: str
    subject: str
    lease_id: UUID
    #: `queued`, `retrying` or `dead`; `cancelled` instead, where a newer job waits.
    status: str
    attempt: int
    rate_limits: int
    deliveries: int
    #: Seconds until it is due.
    delay: float = 0.0
    error_class: str = ""
    error: str = ""
    #: JSON.
    steps: str = "[]"


def end_unfinished(jobs: Sequence[Ended]) -> dict[UUID, str]:
    """Write what becomes of the jobs; return the states they are in. Call it in a transaction that holds their rows.

    Of several jobs on one subject the last one given is dealt with first.
    """
    if not jobs:
        return {}
    ordered = sorted(enumerate(jobs), key=lambda numbered: (numbered[1].kind, numbered[1].subject, -numbered[0]))
    rows = [{name: getattr(job, name) for name in Ended.__slots__} for _, job in ordered]
    for attempt in range(_TRIES):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.executemany(_END, rows)
            break
        except IntegrityError:
            if attempt == _TRIES - 1:
                raise
    return _states([job.id for job in jobs])


def _states(ids: Sequence[UUID]) -> dict[UUID, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, status FROM jobs_jobexecution WHERE id = ANY(%s)", [list(ids)])
        states: dict[UUID, Any] = dict(cursor.fetchall())
    return states
