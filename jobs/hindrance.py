"""What keeps a waiting job from its turn, for whoever waits for what it makes."""

from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q
from django.utils.translation import gettext_noop

from jobs import clock
from jobs.models import JobExecution, Lane
from jobs.states import Status

#: Seconds after which a job that is due and not begun counts as delayed.
DELAYED_AFTER: Final = 60.0


def hindrance(job: JobExecution) -> tuple[str, datetime | None]:
    """Return what keeps a waiting job from its turn, empty for nothing, and when it is tried again, if known.

    It is a sentence in English for anybody to read, without details; translated where it is shown.
    """
    now = clock.now()
    paused = Q(paused_at__isnull=False) & (Q(paused_until=None) | Q(paused_until__gt=now))
    lane = Lane.objects.filter(paused | Q(closed_until__gt=now), kind=job.kind).first()
    if lane is not None and lane.paused_at is not None:
        return gettext_noop("Its lane is paused."), lane.paused_until
    if job.status == Status.RETRYING:
        return gettext_noop("The last attempt failed; it is tried again by itself."), job.next_attempt_at
    if lane is not None:
        return gettext_noop("The provider's limits are used up for the moment."), lane.closed_until
    if job.next_attempt_at < now - timedelta(seconds=DELAYED_AFTER):
        return gettext_noop("It waits longer than usual: workers are busy or away."), None
    return "", None
