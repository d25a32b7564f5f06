"""Drawing the consequences of what the rules say: the duty of the scheduler's leader, and of `check_alerts`."""

from collections.abc import Iterable, Sequence

import structlog
from django.conf import settings
from django.db import connection

from jobs.alerts.announce import announce
from jobs.alerts.decide import Seen, decide
from jobs.alerts.look import Reading, look
from jobs.alerts.rules import AlertRule

log = structlog.get_logger(__name__)

#: Seconds between evaluations.
ALERT_INTERVAL = 15.0

#: Writes what was found, in the order of the rules' names, so that two evaluators wait for each other instead of
#: deadlocking. A rule that could not tell leaves the last value and message.
_NOTE = """
INSERT INTO alerts_alert AS alert (rule, value, message, error, last_checked_at)
SELECT new.rule, new.value, new.message, new.error, statement_timestamp()
  FROM unnest(%(rules)s::text[], %(values)s::float8[], %(messages)s::text[], %(errors)s::text[])
       AS new (rule, value, message, error)
 ORDER BY new.rule
    ON CONFLICT (rule) DO UPDATE
   SET value = CASE WHEN excluded.error = '' THEN excluded.value ELSE alert.value END,
       message = CASE WHEN excluded.error = '' THEN excluded.message ELSE alert.message END,
       error = excluded.error,
       last_checked_at = excluded.last_checked_at
RETURNING rule, state, since, announced, last_notified_at,
          last_notified_at IS NULL OR last_notified_at <= statement_timestamp() - %(cooldown)s * interval '1 second'
"""


def watch() -> None:
    """Evaluate all rules; never raises: alerts must not hurt the work that they are about."""
    try:
        evaluate()
    except Exception as error:
        log.exception("alerts_not_evaluated", error=type(error).__name__)


def evaluate(rules: Iterable[AlertRule] | None = None) -> list[Reading]:
    """Ask the rules, by default all of them, write down what they say, and tell people of what changed.

    Returns what was found.

    What can still fail:
    1. A rule: it is shown as broken, the others are evaluated.
    2. The database before the findings are written: raises `django.db.DatabaseError`; nothing was changed.
    3. The transaction of one change: it is rolled back with its messages, and made by the next evaluation.
    4. Another evaluator at the same time: one of the two makes a change, the other finds it made.
    """
    readings = look(rules)
    seen = _note(readings)
    for reading in readings:
        if reading.finding is not None:
            _follow(reading, seen[reading.rule.name])
    return readings


def _note(readings: Sequence[Reading]) -> dict[str, Seen]:
    """Write what was found into the alerts' rows and return how they stand."""
    if not readings:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            _NOTE,
            {
                "rules": [each.rule.name for each in readings],
                "values": [each.finding.value if each.finding else None for each in readings],
                "messages": [each.finding.message if each.finding else "" for each in readings],
                "errors": [each.error for each in readings],
                "cooldown": settings.ALERT_COOLDOWN,
            },
        )
        return {row[0]: Seen(*row[1:]) for row in cursor.fetchall()}


def _follow(reading: Reading, seen: Seen) -> None:
    """Make the change that a finding calls for, if any."""
    assert reading.finding is not None
    change = decide(seen, firing=reading.finding.firing)
    if change is None:
        return
    try:
        announce(reading.rule, reading.finding, change, seen)
    except Exception:
        # A change that can't be written must not hold up those of other rules; the next evaluation makes it.
        log.exception("alert_not_recorded", rule=reading.rule.name, change=str(change.event))
