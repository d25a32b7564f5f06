"""What is to be computed anew, and how it becomes jobs.

A change appends a mark in its own transaction: nothing is looked up and nobody waited for. The leader makes a job for
each category that has marks once they stop coming, so a burst of changes is one computation. Who lists a changed
business is found by that job, when the change is visible to all.
"""

from collections.abc import Collection, Sequence
from typing import Final
from uuid import UUID

from django.db import connection

from embeddings.current import current_model
from jobs.actor import Actor
from jobs.enqueue import enqueue_many
from jobs.states import Operation, Source

COMPUTE_SIMILARITY: Final = "compute_similarity"

#: Seconds without a further mark after which a category's turn comes, and seconds after which it comes in any case.
QUIET, PATIENCE = 2.0, 60.0
#: Seconds for which marks are kept that were dealt with: longer than a computation may take.
KEPT_FOR: Final = 3_600.0

_MARK: Final = """
INSERT INTO similarity_mark (business_id, category, listed, run_id)
SELECT id, category, %(listed)s, %(run)s
  FROM directory_business AS business
 WHERE id = ANY(%(ids)s) AND EXISTS (SELECT FROM embeddings_embedding WHERE business_id = business.id)
"""

_MARK_CATEGORIES: Final = """
INSERT INTO similarity_mark (business_id, category, run_id)
SELECT business.id, business.category, %(run)s
  FROM directory_business AS business JOIN embeddings_embedding AS stored ON stored.business_id = business.id
 WHERE business.category = ANY(%(categories)s) AND stored.model = %(model)s
"""

_MARK_DUE: Final = """
INSERT INTO similarity_mark (business_id, category)
SELECT business.id, business.category
  FROM directory_business AS business JOIN embeddings_embedding AS stored ON stored.business_id = business.id
  LEFT JOIN similarity_similarity AS similar_ones ON similar_ones.business_id = business.id
 WHERE stored.model = %(model)s
   AND (similar_ones.business_id IS NULL OR similar_ones.model <> %(model)s
        OR similar_ones.next_compute_at <= statement_timestamp())
   AND NOT EXISTS (SELECT FROM similarity_mark AS mark
                    WHERE mark.business_id = business.id AND mark.told_at IS NULL AND mark.run_id IS NULL)
"""

#: A category whose marks are all older than a job under way needs none; neither does one whose job failed for good and
#: waits for a person, until something changes again.
_DUE: Final = """
SELECT marked.category
  FROM (SELECT category, min(created_at) AS first, max(created_at) AS last FROM similarity_mark
         WHERE told_at IS NULL AND run_id IS NULL GROUP BY category) AS marked
 WHERE (last <= statement_timestamp() - %(quiet)s * interval '1 second'
        OR first <= statement_timestamp() - %(patience)s * interval '1 second')
   AND NOT EXISTS (SELECT FROM jobs_jobexecution AS job
                    WHERE job.kind = %(kind)s AND job.subject = marked.category
                      AND (job.status IN ('queued', 'retrying') OR job.status = 'running' AND job.started_at > last))
   AND NOT EXISTS (SELECT FROM jobs_deadletter AS letter
                    WHERE letter.kind = %(kind)s AND letter.subject = marked.category
                      AND letter.resolved_at IS NULL AND letter.last_attempt_at > last)
"""

#: Writers of lists and those who look for lists take turns: a list is either found by whoever looks, or its writer sees
#: that they looked (`store`). The ASCII codes of "ylwsimil".
TURN_LOCK: Final = int.from_bytes(b"ylwsimil", "big")
TAKE_TURN: Final = "SELECT pg_advisory_xact_lock(%s)"

#: In the categories of the job at hand the new marks are as old as those that they follow from: it deals with them.
_TELL: Final = """
WITH told AS (
    UPDATE similarity_mark SET told_at = statement_timestamp()
     WHERE id IN (SELECT id FROM similarity_mark
                   WHERE told_at IS NULL AND listed AND category = ANY(%(categories)s)
                   ORDER BY id FOR UPDATE SKIP LOCKED)
    RETURNING business_id, created_at
)
INSERT INTO similarity_mark (business_id, category, created_at)
SELECT id, category, CASE WHEN category = ANY(%(categories)s) THEN (SELECT max(created_at) FROM told)
                          ELSE statement_timestamp() END
  FROM directory_business
 WHERE id IN (SELECT business_id FROM told UNION
              SELECT business_id FROM similarity_similarity
               WHERE neighbours && ARRAY(SELECT DISTINCT business_id FROM told))
"""

_FORGET: Final = """
DELETE FROM similarity_mark
 WHERE told_at < statement_timestamp() - %(kept)s * interval '1 second'
    OR run_id IS NOT NULL AND run_id NOT IN (SELECT id FROM jobs_run WHERE state IN ('running', 'stopping'))
"""


def mark(ids: Collection[UUID], *, listed: bool) -> int:
    """Have businesses computed anew, those without any vector left out; `listed`: whoever lists them too.

    Call it in the transaction of the change; before a deletion, while the rows are there. Returns how many there were.
    """
    with connection.cursor() as cursor:
        cursor.execute(_MARK, {"ids": list(ids), "listed": listed, "run": None})
        return int(cursor.rowcount)


def mark_categories(categories: Sequence[str], *, run_id: UUID | None = None) -> int:
    """Have all businesses of categories computed anew; with `run_id`, by the jobs of that run."""
    with connection.cursor() as cursor:
        cursor.execute(_MARK_CATEGORIES, {"categories": list(categories), "run": run_id, "model": current_model()})
        return int(cursor.rowcount)


def mark_due() -> int:
    """Have those computed anew whose time has come, or that were never computed by the model that serves."""
    with connection.cursor() as cursor:
        cursor.execute(_MARK_DUE, {"model": current_model()})
        return int(cursor.rowcount)


def start_due() -> list[str]:
    """Make a job for each category that has marks and nobody who deals with them; return the categories."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE, {"quiet": QUIET, "patience": PATIENCE, "kind": COMPUTE_SIMILARITY})
        categories = [row[0] for row in cursor.fetchall()]
    enqueue_many(
        COMPUTE_SIMILARITY,
        categories,
        operation=Operation.UPDATE,
        priority="low",
        actor=Actor("scheduler", Source.CRON),
    )
    return categories


def tell(categories: Sequence[str]) -> int:
    """Turn marks on listed businesses into marks on them and on whoever lists them; return how many those are.

    Call it in a transaction.
    """
    with connection.cursor() as cursor:
        cursor.execute(TAKE_TURN, [TURN_LOCK])
        cursor.execute(_TELL, {"categories": list(categories)})
        return int(cursor.rowcount)


def forget() -> int:
    """Delete marks that nobody needs any more; return how many there were."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, {"kept": KEPT_FOR})
        return int(cursor.rowcount)
