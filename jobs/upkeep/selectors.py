"""What the last audit found, in short: shared by dashboard, metrics and the doctor."""

from typing import Any

from django.db.models import F, QuerySet
from django.db.models.functions import Extract, Now

from jobs.upkeep.audit import invariants
from jobs.upkeep.models import AuditResult

#: Seconds after which what was found says little about now: two nights and the time to run.
STALE_AFTER = 2 * 86_400


def audit_results() -> QuerySet[Any]:
    """Return the invariants that this installation knows, with the `age` of what is known, in seconds."""
    rows = AuditResult.objects.filter(name__in=[each.name for each in invariants()])
    return rows.annotate(age=Extract(Now() - F("checked_at"), "epoch"))


def audit_summary() -> dict[str, Any]:
    """Return {checked_at, age_seconds, violations, violated, not_checked, stale}.

    `checked_at` is the time of the check that is the oldest, None while any invariant was never checked; `violated`
    names the invariants with violations; `not_checked` those whose last check failed; `stale` tells that what is known
    is older than two days.
    """
    found = list(audit_results())
    complete = len(found) == len(invariants()) and all(row.checked_at is not None for row in found)
    oldest = max(found, key=lambda row: row.age) if complete and found else None
    return {
        "checked_at": oldest.checked_at if oldest else None,
        "age_seconds": float(oldest.age) if oldest else None,
        "violations": sum(row.count or 0 for row in found),
        "violated": [row.name for row in found if row.count],
        "not_checked": [row.name for row in found if row.error],
        "stale": oldest is None or oldest.age > STALE_AFTER,
    }
