"""Room on the disk and in the database."""

from pathlib import Path

import psutil
from django.conf import settings
from django.utils.translation import gettext_noop

from jobs.alerts.rules import AlertRule, Finding, Severity, Unit, register_rule
from jobs.alerts.sql import ask

MEBIBYTE = 2**20


def disk(threshold: float) -> Finding:
    """Measure how full the volume of `VAR_DIR` is, on the host that looks."""
    place = Path(settings.VAR_DIR)
    while not place.exists():
        place = place.parent
    usage = psutil.disk_usage(str(place))
    share = usage.percent / 100
    return Finding(
        share > threshold, share, f"The volume of VAR_DIR is {share:.0%} full, {usage.free / 2**30:,.1f} GiB are free."
    )


def database_size(threshold: float) -> Finding:
    """Measure the database's files; a threshold of 0 is no threshold."""
    if not threshold:
        return Finding(False, None, "Not watched: ALERT_DATABASE_SIZE is 0.")
    (size,) = ask("SELECT pg_database_size(current_database())")
    mebibytes = int(size) / MEBIBYTE
    return Finding(mebibytes > threshold, mebibytes, f"The database has {mebibytes:,.0f} MiB.")


register_rule(
    AlertRule(
        name="disk",
        title=gettext_noop("The disk is nearly full"),
        check=disk,
        says=(gettext_noop("The volume of VAR_DIR is %(share)s full, %(free)s GiB are free."),),
        setting="ALERT_DISK_SHARE",
        unit=Unit.SHARE,
        local=True,
        next_step=gettext_noop("Make room: with a full disk nothing can be stored."),
    )
)
register_rule(
    AlertRule(
        name="database_size",
        title=gettext_noop("The database is large"),
        check=database_size,
        says=(
            gettext_noop("Not watched: ALERT_DATABASE_SIZE is 0."),
            gettext_noop("The database has %(number)s MiB."),
        ),
        setting="ALERT_DATABASE_SIZE",
        unit=Unit.MEBIBYTES,
        severity=Severity.WARNING,
        next_step=gettext_noop(
            "Plan for more room, or keep old jobs for a shorter time; then raise ALERT_DATABASE_SIZE."
        ),
    )
)
