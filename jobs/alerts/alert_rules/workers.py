"""Workers lost, and none at all."""

from django.conf import settings
from django.utils.translation import gettext_noop

from jobs import workers
from jobs.alerts.rules import AlertRule, Finding, Severity, register_rule
from jobs.clock import ago
from jobs.models import WorkerProcess

#: Names of lost workers that a message gives.
NAMED = 3


def worker_lost(threshold: float) -> Finding:
    """Find workers that went silent a short while ago; an older loss is history."""
    lost = list(
        WorkerProcess.objects.filter(
            state=WorkerProcess.State.LOST, last_heartbeat_at__gte=ago(settings.ALERT_WORKER_LOST_WINDOW)
        )
        .order_by("-last_heartbeat_at")
        .values_list("name", flat=True)[:100]
    )
    if not lost:
        return Finding(False, 0, "No worker was lost lately.")
    more = f" and {len(lost) - NAMED} more" if len(lost) > NAMED else ""
    return Finding(True, len(lost), f"Lost without a farewell: {', '.join(lost[:NAMED])}{more}.")


def no_worker(threshold: float) -> Finding:
    """Tell whether any worker beats."""
    return workers_told(workers.alive().count())


def workers_told(alive: int) -> Finding:
    """Say how many workers beat."""
    return Finding(not alive, alive, f"Workers alive: {alive}." if alive else "No worker is alive: every job waits.")


register_rule(
    AlertRule(
        name="worker_lost",
        title=gettext_noop("A worker was lost"),
        check=worker_lost,
        says=(
            gettext_noop("No worker was lost lately."),
            gettext_noop("Lost without a farewell: %(workers)s and %(number)s more."),
            gettext_noop("Lost without a farewell: %(workers)s."),
        ),
        severity=Severity.WARNING,
        next_step=gettext_noop(
            "Its jobs were taken back. Look for a kill for want of memory, or a crash, in its host's logs."
        ),
        page="/admin/jobs/workerprocess/?state__exact=lost",
    )
)
register_rule(
    AlertRule(
        name="no_worker",
        title=gettext_noop("No worker is alive"),
        check=no_worker,
        says=(
            gettext_noop("Workers alive: %(number)s."),
            gettext_noop("No worker is alive: every job waits."),
        ),
        live=True,
        next_step=gettext_noop("Start manage.py rundramatiq."),
        page="/admin/jobs/workerprocess/",
    )
)
