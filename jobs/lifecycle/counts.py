"""The counts of a run, kept with the rows: in the transaction in which a job ends, or is taken up again.

A job that succeeded counts as its result, a dead one as `dead:` and its failure class, a cancelled one as its status.
"""

from collections.abc import Sequence
from uuid import UUID

from django.db import connection

#: What the outcome of a dead job begins with.
DEAD = "dead"

#: What a job that has ended counts as; one that has not has its status.
OUTCOME = "CASE status WHEN 'succeeded' THEN result WHEN 'dead' THEN 'dead:' || error_class ELSE status END"

#: Rows are written in one order, so that two batches of one run wait for each other instead of deadlocking.
_ADD = f"""
INSERT INTO jobs_runcount AS counted (run_id, outcome, jobs)
SELECT run_id, {OUTCOME}, %(sign)s * count(*)
  FROM jobs_jobexecution
 WHERE id = ANY(%(ids)s) AND run_id IS NOT NULL AND status IN ('succeeded', 'dead', 'cancelled')
 GROUP BY 1, 2
 ORDER BY 1, 2
    ON CONFLICT (run_id, outcome) DO UPDATE SET jobs = counted.jobs + excluded.jobs
"""  # noqa: S608 a constant of ours


def count(ids: Sequence[UUID]) -> None:
    """Count those of the jobs that have ended, in this transaction and not before, towards their runs."""
    _add(ids, 1)


def uncount(ids: Sequence[UUID]) -> None:
    """Take the jobs out of the counts again, before they wait again or leave their run."""
    _add(ids, -1)


def _add(ids: Sequence[UUID], sign: int) -> None:
    if ids:
        with connection.cursor() as cursor:
            cursor.execute(_ADD, {"ids": list(ids), "sign": sign})
