"""What was asked of providers, counted by day in rows: for people, and for a Redis that forgot it."""

from collections.abc import Collection
from typing import Any

import structlog
from django.db import DatabaseError, connection

from jobs.throttle import History
from jobs.throttle.throttle import WINDOW

log = structlog.get_logger(__name__)

_COUNT = """
INSERT INTO embeddings_providerusage AS usage (day, provider, model, outcome, calls, texts, seconds, updated_at)
VALUES (date(statement_timestamp() AT TIME ZONE 'America/Los_Angeles'), %s, %s, %s, 1, %s, %s, statement_timestamp())
    ON CONFLICT (day, provider, model, outcome) DO UPDATE
   SET calls = usage.calls + 1, texts = usage.texts + excluded.texts, seconds = usage.seconds + excluded.seconds,
       updated_at = excluded.updated_at
"""

#: What was spent today, and whether anything was spent, or may be under way, within the last minute.
_HISTORY = """
SELECT coalesce(sum(texts) FILTER (WHERE day = date(statement_timestamp() AT TIME ZONE 'America/Los_Angeles')), 0),
       coalesce(max(updated_at) > statement_timestamp() - %(window)s * interval '1 second', false),
       EXISTS (SELECT FROM jobs_lease WHERE kind = ANY(%(kinds)s))
  FROM embeddings_providerusage
 WHERE provider = %(provider)s AND model = %(model)s
"""


def count_call(provider: str, model: str, outcome: str, *, texts: int, seconds: float) -> None:
    """Add a call to the day's usage; `outcome` is `ok` or the failure class.

    A failing database must not cost the answer.
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute(_COUNT, [provider, model, outcome, texts, seconds])
    except DatabaseError as error:
        log.warning("usage_not_counted", error=type(error).__name__)


def history_of(provider: str, model: str, *, kinds: Collection[str], call_deadline: float) -> History:
    """Return what the rows know of today and of the last minute.

    Jobs of `kinds` make calls of up to `call_deadline` seconds, of which the rows do not know while they are under way.
    """
    window = WINDOW / 1000
    told: dict[str, Any] = {"provider": provider, "model": model, "window": window, "kinds": list(kinds)}
    with connection.cursor() as cursor:
        cursor.execute(_HISTORY, told)
        today, recently, under_way = cursor.fetchone()
    # A call that is under way may reach the provider until its deadline, and its minute begins there.
    unknown_for = window + call_deadline if under_way else window if recently else 0.0
    return History(units_today=int(today), unknown_for=unknown_for)
