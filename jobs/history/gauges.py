"""What is measured every so often: for its history, or because it is too dear to be measured for every look.

An app declares its own in a `gauges.py`:

register(Gauge("coverage", lambda: {"": coverage()["coverage_percentage"]}))
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import connection

from jobs.database import OPERATIONAL, is_away
from jobs.models import Step

log = structlog.get_logger(__name__)

#: Seconds between two looks.
EVERY = 15.0


@dataclass(frozen=True, slots=True)
class Gauge:
    """Something with a value at any moment."""

    name: str
    #: Returns the value for each label; the label of a gauge of the whole system is empty.
    read: Callable[[], Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Point:
    """What a gauge showed: the last and the highest value within a minute or an hour."""

    at: datetime
    label: str
    value: float
    peak: float
    read_at: datetime


_gauges: dict[str, Gauge] = {}

_WRITE = """
INSERT INTO jobs_sample AS sample (step, at, gauge, label, value, peak, read_at)
SELECT step, date_trunc(step, statement_timestamp()), %(gauge)s, label, value, value, statement_timestamp()
  FROM unnest(%(labels)s::text[], %(values)s::float8[]) AS told (label, value), unnest(ARRAY['minute', 'hour']) AS step
 ORDER BY 1, 2, 3, 4
    ON CONFLICT (step, gauge, label, at) DO UPDATE
   SET value = excluded.value, peak = greatest(sample.peak, excluded.peak), read_at = excluded.read_at
"""

_READ = """
SELECT asked.step, gauge, at, label, value, peak, read_at
  FROM unnest(%(steps)s::text[], %(since)s::timestamptz[]) AS asked (step, since)
  JOIN jobs_sample AS sample ON sample.step = asked.step AND sample.at >= asked.since
 ORDER BY at, label
"""


def register(gauge: Gauge) -> Gauge:
    """Make a gauge known; names are unique."""
    if _gauges.setdefault(gauge.name, gauge) is not gauge:
        raise ValueError(f"a gauge named {gauge.name!r} is already declared")
    return gauge


def sample() -> None:
    """Read every gauge and write down what it shows: the leader's duty.

    One that breaks keeps nobody from the others; an outage of the database is raised.
    """
    for gauge in _gauges.values():
        try:
            values = gauge.read()
            with connection.cursor() as cursor:
                cursor.execute(
                    _WRITE, {"gauge": gauge.name, "labels": list(values), "values": [float(v) for v in values.values()]}
                )
        except OPERATIONAL as error:
            if is_away(error):
                raise
            log.exception("gauge_broken", gauge=gauge.name)
        except Exception:
            # A gauge may be anybody's code; what it raises must not keep the others from being read.
            log.exception("gauge_broken", gauge=gauge.name)


def sampled(since: Mapping[Step, datetime]) -> dict[Step, dict[str, list[Point]]]:
    """Return what every gauge showed, by the steps that are asked for, each since some moment; oldest first.

    One query.
    """
    with connection.cursor() as cursor:
        cursor.execute(_READ, {"steps": [str(step) for step in since], "since": list(since.values())})
        rows = cursor.fetchall()
    found: dict[Step, dict[str, list[Point]]] = {step: {name: [] for name in _gauges} for step in since}
    for step, gauge, *point in rows:
        found[step].setdefault(gauge, []).append(Point(*point))
    return found
