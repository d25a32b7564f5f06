"""What the last audit found."""

from jobs.history.gauges import Gauge, register
from jobs.upkeep.selectors import audit_summary

#: Its name, and the labels of its values: violations, and seconds since the oldest check (-1: not all were checked).
AUDIT = "audit"
VIOLATIONS, AGE = "violations", "age"


def _read() -> dict[str, float]:
    found = audit_summary()
    return {VIOLATIONS: found["violations"], AGE: -1.0 if found["age_seconds"] is None else found["age_seconds"]}


register(Gauge(AUDIT, _read))
