"""What must hold of reminders."""

from functools import partial
from typing import LiteralString

from django.utils.translation import gettext_noop

from jobs.upkeep.audit import Invariant, register
from jobs.upkeep.scan import find
from yellowbook.reminders.dispatch import settle_called_off
from yellowbook.reminders.names import SEND_REMINDER

#: Whatever the sweep has had two rounds for.
_STUCK: LiteralString = """
SELECT schedule.id::text
  FROM reminders_schedule AS schedule
 WHERE schedule.state IN ('queued', 'delayed')
   AND schedule.due_at < statement_timestamp() - interval '10 minutes'
   AND NOT EXISTS (SELECT FROM jobs_jobexecution AS job
                    WHERE job.kind = %(kind)s AND job.subject = schedule.id::text
                      AND job.status IN ('queued', 'retrying', 'running'))
   AND NOT EXISTS (SELECT FROM jobs_deadletter AS letter
                    WHERE letter.kind = %(kind)s AND letter.subject = schedule.id::text AND letter.resolved_at IS NULL)
"""

register(
    Invariant(
        "queued_reminders_have_job",
        gettext_noop("Every reminder that is queued or delayed has a job, or a dead letter that nobody settled."),
        partial(find, _STUCK, parameters={"kind": SEND_REMINDER}),
        gettext_noop("Marks them as failed: somebody cancelled or settled their jobs."),
        settle_called_off,
    )
)
