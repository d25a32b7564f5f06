"""What ended, by minute and by hour: merged from what transactions write down, and read for charts and rates."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from jobs.history.buckets import BUCKETS, added
from jobs.lifecycle.counts import DEAD
from jobs.models import Step

#: Rows that are merged in one transaction.
BATCH = 2_000
#: What the outcome of a failed attempt that is tried again begins with.
RETRYING = "retrying"
#: The outcome of a job that was called off.
CANCELLED = "cancelled"

_TAKE = """
DELETE FROM jobs_ending
 WHERE id IN (SELECT id FROM jobs_ending ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED)
RETURNING date_trunc('minute', at), date_trunc('hour', at), kind, outcome, jobs, waited, ran
"""

_ADD = """
INSERT INTO jobs_tally AS tally (step, at, kind, outcome, jobs, waited, ran)
VALUES (%s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (step, at, kind, outcome) DO UPDATE
   SET jobs = tally.jobs + excluded.jobs,
       waited = ARRAY(SELECT a + b FROM unnest(tally.waited, excluded.waited) AS pair (a, b)),
       ran = ARRAY(SELECT a + b FROM unnest(tally.ran, excluded.ran) AS pair (a, b))
"""

#: One statement, so that what is merged meanwhile is seen once: either here or there.
_READ = """
SELECT tally.step, tally.at, kind, outcome, jobs, waited, ran, false
  FROM unnest(%(steps)s::text[], %(since)s::timestamptz[]) AS asked (step, since)
  JOIN jobs_tally AS tally ON tally.step = asked.step AND tally.at >= date_trunc(asked.step, asked.since)
 UNION ALL
SELECT asked.step, date_trunc(asked.step, at), kind, outcome, jobs, waited, ran, true
  FROM unnest(%(steps)s::text[], %(since)s::timestamptz[]) AS asked (step, since)
  JOIN jobs_ending ON at >= date_trunc(asked.step, asked.since)
"""


@dataclass(slots=True)
class Count:
    """What ended in one way within some time."""

    jobs: int
    #: Histograms, by bucket.
    waited: list[int]
    ran: list[int]


@dataclass(frozen=True, slots=True)
class Counted:
    """What one kind of job ended in, in one way, within one minute or hour."""

    at: datetime
    kind: str
    outcome: str
    count: Count


def merge() -> int:
    """Merge what transactions wrote into the minutes and hours; return how many rows that were. The leader's duty."""
    merged = 0
    while (batch := _merge_batch()) == BATCH:
        merged += batch
    return merged + batch


@transaction.atomic
def _merge_batch() -> int:
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [BATCH])
        rows = cursor.fetchall()
        sums: dict[tuple[Any, ...], Count] = defaultdict(_nothing)
        for minute, hour, kind, outcome, jobs, waited, ran in rows:
            for key in ((Step.MINUTE, minute, kind, outcome), (Step.HOUR, hour, kind, outcome)):
                _add(sums[key], jobs, waited, ran)
        # In one order, so that two who merge wait for each other instead of deadlocking.
        values = [[*map(_plain, key), sums[key].jobs, sums[key].waited, sums[key].ran] for key in sorted(sums)]
        cursor.executemany(_ADD, values)
    return len(rows)


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Step) else value


def _nothing() -> Count:
    return Count(0, [0] * BUCKETS, [0] * BUCKETS)


def _add(count: Count, jobs: int, waited: Sequence[int], ran: Sequence[int]) -> None:
    count.jobs += jobs
    for bucket in waited:
        count.waited[bucket] += 1
    for bucket in ran:
        count.ran[bucket] += 1


def counted(since: Mapping[Step, datetime]) -> dict[Step, list[Counted]]:
    """Return what ended, by the steps that are asked for: each since the minute or hour that its moment lies in.

    Exact up to this moment; one query.
    """
    with connection.cursor() as cursor:
        cursor.execute(_READ, {"steps": [str(step) for step in since], "since": list(since.values())})
        rows = cursor.fetchall()
    sums: dict[tuple[Any, ...], Count] = defaultdict(_nothing)
    for step, at, kind, outcome, jobs, waited, ran, single in rows:
        count = sums[step, at, kind, outcome]
        if single:
            _add(count, jobs, waited, ran)
        else:
            count.jobs += jobs
            count.waited, count.ran = added(count.waited, waited), added(count.ran, ran)
    found: dict[Step, list[Counted]] = {step: [] for step in since}
    for step, at, kind, outcome in sorted(sums):
        found[Step(step)].append(Counted(at, kind, outcome, sums[step, at, kind, outcome]))
    return found


def group_of(outcome: str) -> str:
    """Return which of four an outcome is: `succeeded`, `dead`, `retrying`, `cancelled`."""
    group = outcome.partition(":")[0]
    return group if group in {DEAD, RETRYING, CANCELLED} else "succeeded"


def moments(since: datetime, until: datetime, step: Step) -> Iterator[datetime]:
    """Yield the beginning of every minute or hour from the one of `since` to the one of `until`."""
    length = timedelta(minutes=1) if step == Step.MINUTE else timedelta(hours=1)
    at = since.replace(second=0, microsecond=0)
    if step == Step.HOUR:
        at = at.replace(minute=0)
    while at <= until:
        yield at
        at += length
