"""Writing down that attempts ended: in the transaction in which they did, whatever becomes of their rows."""

from collections.abc import Sequence
from uuid import UUID

from django.db import connection

from jobs.arrays import uuid_array
from jobs.history.buckets import BOUNDS
from jobs.lifecycle.counts import OUTCOME

#: A job that waits for its next try ended an attempt too.
_OUTCOME = f"CASE status WHEN 'retrying' THEN 'retrying:' || error_class ELSE {OUTCOME} END"

_TALLY = f"""
WITH ended AS (
    SELECT kind, {_OUTCOME} AS outcome, status, started_at - next_attempt_at AS waited,
           coalesce(finished_at, statement_timestamp()) - started_at AS ran
      FROM jobs_jobexecution
     WHERE id = ANY(%(ids)s::uuid[]) AND status IN ('succeeded', 'dead', 'cancelled', 'retrying')
)
INSERT INTO jobs_ending (kind, outcome, jobs, waited, ran)
SELECT kind, outcome, count(*),
       coalesce(array_agg(width_bucket(extract(epoch FROM waited)::float8, %(bounds)s::float8[]))
                FILTER (WHERE status = 'succeeded'), '{{}}'),
       coalesce(array_agg(width_bucket(extract(epoch FROM ran)::float8, %(bounds)s::float8[]))
                FILTER (WHERE status <> 'cancelled' AND ran IS NOT NULL), '{{}}')
  FROM ended
 GROUP BY kind, outcome
"""  # noqa: S608 constants of ours


def tally(ids: Sequence[UUID]) -> None:
    """Write down how the attempts of these jobs ended, each of which ended in this transaction."""
    if ids:
        with connection.cursor() as cursor:
            cursor.execute(_TALLY, {"ids": uuid_array(ids), "bounds": list(BOUNDS)})
