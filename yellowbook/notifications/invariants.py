"""What must hold of deliveries: a job that is cancelled, or takes its worker down, writes nothing into them."""

from functools import partial
from typing import Final, LiteralString

from django.utils.translation import gettext_noop

from jobs.upkeep.audit import Invariant, register
from jobs.upkeep.scan import find
from yellowbook.notifications.models import Delivery
from yellowbook.notifications.names import DELIVER_NOTIFICATION

#: Deliveries that one repair settles.
REPAIRED: Final = 100_000

_FORGOTTEN: LiteralString = """
SELECT delivery.id::text
  FROM notifications_delivery AS delivery
 WHERE delivery.state = 'waiting'
   AND NOT EXISTS (SELECT FROM jobs_jobexecution AS job
                    WHERE job.kind = %(kind)s AND job.subject = delivery.id::text
                      AND job.status IN ('queued', 'retrying', 'running'))
   AND NOT EXISTS (SELECT FROM jobs_deadletter AS letter
                    WHERE letter.kind = %(kind)s AND letter.subject = delivery.id::text AND letter.resolved_at IS NULL)
"""

_forgotten = partial(find, _FORGOTTEN, parameters={"kind": DELIVER_NOTIFICATION})


def _settle() -> int:
    waiting = Delivery.objects.filter(pk__in=_forgotten(REPAIRED).examples, state=Delivery.State.WAITING)
    return waiting.update(state=Delivery.State.FAILED, last_error="Its job ended without an attempt to deliver it.")


register(
    Invariant(
        "waiting_deliveries_have_job",
        gettext_noop("Every notification that waits has a job, or a dead letter that nobody settled."),
        _forgotten,
        gettext_noop("Marks them as failed: somebody cancelled or settled their jobs. They can be sent again."),
        _settle,
    )
)
