"""Stopping bulk actions, and noticing that one's job has come to an end without it."""

from uuid import UUID

import structlog
from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from jobs.bulk.start import BULK_ACTION, log, make_job
from jobs.duties import Duty, register
from jobs.lifecycle import StateConflict
from jobs.models import BulkAction, JobExecution

logger = structlog.get_logger(__name__)

State = BulkAction.State

#: Seconds between two looks at the jobs of bulk actions.
LOOK_EVERY = 5.0


def stop(bulk_id: UUID, *, by: str) -> BulkAction:
    """Begin no further batch, in a person's name; the one under way is waited for and counts.

    Raises `BulkAction.DoesNotExist`, and `StateConflict` for one that is not under way.
    """
    with transaction.atomic():
        bulk = BulkAction.objects.select_for_update(no_key=True).get(id=bulk_id)
        if not bulk.is_under_way:
            told = _("The bulk action is %(state)s: only one that is under way can be stopped.")
            raise StateConflict(told % {"state": bulk.get_state_display()})
        BulkAction.objects.filter(id=bulk_id).update(state=State.STOPPED, finished_at=Now())
        log(bulk, f"stopped after {bulk.done} of {bulk.total} (was {bulk.state})", by=by)
        bulk.refresh_from_db()
    return bulk


_SETTLE = """
UPDATE jobs_bulkaction AS bulk
   SET state = CASE last.status WHEN 'cancelled' THEN 'stopped' ELSE 'failed' END, error = last.error,
       finished_at = statement_timestamp()
  FROM (SELECT open.id, job.status, job.error
          FROM jobs_bulkaction AS open
         CROSS JOIN LATERAL (SELECT status, error FROM jobs_jobexecution
                              WHERE subject = open.id::text AND kind = %s
                              ORDER BY created_at DESC LIMIT 1) AS job
         WHERE open.state IN ('waiting', 'working')) AS last
 WHERE bulk.id = last.id AND bulk.state IN ('waiting', 'working') AND last.status IN ('dead', 'cancelled')
RETURNING bulk.id, bulk.state
"""


def settle() -> int:
    """End bulk actions whose job is dead (failed) or was cancelled (stopped); return how many. The leader's duty."""
    with connection.cursor() as cursor:
        cursor.execute(_SETTLE, [BULK_ACTION])
        ended = cursor.fetchall()
    for bulk_id, state in ended:
        logger.warning("bulk_action_ended", bulk_action_id=str(bulk_id), state=state)
    return len(ended)


def give_jobs() -> int:
    """Make a job for each bulk action under way that has none; return how many (`manage.py check_invariants`)."""
    settle()
    made = 0
    for bulk in BulkAction.objects.filter(state__in=BulkAction.UNDER_WAY):
        jobs = JobExecution.objects.filter(kind=BULK_ACTION, subject=str(bulk.id), finished_at__isnull=True)
        if not jobs.exists():
            make_job(bulk)
            made += 1
    return made


register(Duty("bulk_actions", LOOK_EVERY, settle))
