"""What ended, by minute and by hour: merged from what transactions write down, and read for charts and rates."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

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

#: The sum of two histograms.
_SUM = """(
    SELECT coalesce(jsonb_object_agg(bucket, jobs), '{{}}')
      FROM (SELECT key AS bucket, sum(value::bigint) AS jobs
              FROM (SELECT * FROM jsonb_each_text(tally.{0})
                     UNION ALL
                    SELECT * FROM jsonb_each_text(excluded.{0})) AS pair
             GROUP BY key) AS total)"""

_ADD = f"""
INSERT INTO jobs_tally AS tally (step, at, kind, outcome, jobs, waited, ran)
VALUES (%s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (step, at, kind, outcome) DO UPDATE
   SET jobs = tally.jobs + excluded.jobs,
       waited = {_SUM.format("waited")},
       ran = {_SUM.format("ran")}
"""  # noqa: S608 constants of ours

#: One statement, so that what is merged meanwhile is seen once: either here or there.
_READ = """
SELECT tally.step, tally.at, kind, outcome, jobs, waited::text, ran::text, NULL::smallint[], NULL::smallint[]
  FROM unnest(%(steps)s::text[], %(since)s::timestamptz[]) AS asked (step, since)
  JOIN jobs_tally AS tally ON tally.step = asked.step AND tally.at >= date_trunc(asked.step, asked.since)
 UNION ALL
SELECT asked.step, date_trunc(asked.step, at), kind, outcome, jobs, NULL, NULL, waited, ran
  FROM unnest(%(steps)s::text[], %(since)s::timestamptz[]) AS asked (step, since)
  JOIN jobs_ending ON at >= date_trunc(asked.step, asked.since)
"""


@dataclass(slots=True)
class Count:
    """What ended in one way within some time."""

    jobs: int = 0
    waited: Counter[int] = field(default_factory=Counter)
    ran: Counter[int] = field(default_factory=Counter)


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
        sums: dict[tuple[Any, ...], Count] = defaultdict(Count)
        for minute, hour, kind, outcome, jobs, waited, ran in rows:
            for key in ((str(Step.MINUTE), minute, kind, outcome), (str(Step.HOUR), hour, kind, outcome)):
                _add(sums[key], jobs, waited, ran)
        # In one order, so that two who merge wait for each other instead of deadlocking.
        values = [
            [*key, sums[key].jobs, json.dumps(sums[key].waited), json.dumps(sums[key].ran)] for key in sorted(sums)
        ]
        cursor.executemany(_ADD, values)
    return len(rows)


def _add(count: Count, jobs: int, waited: Sequence[int], ran: Sequence[int]) -> None:
    count.jobs += jobs
    count.waited.update(waited)
    count.ran.update(ran)


def counted(since: Mapping[Step, datetime]) -> dict[Step, list[Counted]]:
    """Return what ended, by the steps that are asked for: each since the minute or hour that its moment lies in.

    Exact up to this moment; one query.
    """
    with connection.cursor() as cursor:
        cursor.execute(_READ, {"steps": [str(step) for step in since], "since": list(since.values())})
        rows = cursor.fetchall()
    sums: dict[tuple[Any, ...], Count] = defaultdict(Count)
    for step, at, kind, outcome, jobs, waited, ran, each_waited, each_ran in rows:
        count = sums[step, at, kind, outcome]
        if waited is None:
            _add(count, jobs, each_waited, each_ran)
        else:
            count.jobs += jobs
            count.waited.update(_parsed(waited))
            count.ran.update(_parsed(ran))
    found: dict[Step, list[Counted]] = {step: [] for step in since}
    for step, at, kind, outcome in sorted(sums):
        found[Step(step)].append(Counted(at, kind, outcome, sums[step, at, kind, outcome]))
    return found


def _parsed(histogram: str) -> dict[int, int]:
    return {int(bucket): jobs for bucket, jobs in json.loads(histogram).items()}


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
