"""How far a run has come: read from a handful of rows, whatever its size."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from jobs import clock
from jobs.lifecycle.counts import DEAD
from jobs.models import Run, RunCount

#: Errors that are listed.
ERRORS = 100
#: Seconds that the measured rate looks back, at least where there is as much to see.
LOOK_BACK = 60.0

#: Everything before the first open job is done: a run can be taken up after that. Open jobs are few, whatever the size
#: of the run; asked for their first subject directly, PostgreSQL would walk over all that are done.
_LAST_DONE = """
WITH open AS MATERIALIZED (
    SELECT subject FROM jobs_jobexecution
     WHERE run_id = %(run)s AND status IN ('queued', 'retrying', 'running')
)
SELECT subject FROM jobs_jobexecution
 WHERE run_id = %(run)s AND subject < coalesce((SELECT min(subject) FROM open), '~')
 ORDER BY subject DESC LIMIT 1
"""

#: The newest error of each class that is known to be there; the condition on `error_class` is that of the index.
_NEWEST_BY_CLASS = """
SELECT class.name, newest.error, newest.started_at
  FROM unnest(%(classes)s::text[]) AS class (name),
       LATERAL (SELECT error, started_at FROM jobs_jobexecution
                 WHERE run_id = %(run)s AND error_class <> '' AND error_class = class.name AND status = 'dead'
                 ORDER BY started_at DESC LIMIT 1) AS newest
"""

#: The newest attempts are among those of the jobs that were tried last.
_LAST_ERRORS = """
WITH failed AS MATERIALIZED (
    SELECT id, subject FROM jobs_jobexecution
     WHERE run_id = %(run)s AND error_class <> ''
     ORDER BY started_at DESC LIMIT %(limit)s
)
SELECT attempt.job_id, failed.subject, attempt.error_class, attempt.error, attempt.finished_at
  FROM failed JOIN jobs_attempt AS attempt ON attempt.job_id = failed.id
 ORDER BY attempt.id DESC LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class Progress:
    """A run's counts. `processed` = `succeeded` + `failed` + `cancelled` + `skipped`."""

    run: Run
    processed: int
    succeeded: int
    failed: int
    cancelled: int
    skipped: int
    #: Succeeded jobs by result, e.g. {"embedded": 90, "unchanged": 8, "cached": 2}.
    results: dict[str, int]
    #: Subjects a second, lately; None before there is anything to measure.
    rate: float | None
    elapsed_seconds: float
    read_at: datetime = field(repr=False)

    @property
    def left(self) -> int:
        """Subjects that are still to be dealt with."""
        return max(0, self.run.total - self.processed)

    @property
    def percentage(self) -> float:
        """How much of it is done, 0 to 100; never more, and 100 only when all is."""
        if not self.run.total:
            return 100.0 if self.run.finished_at else 0.0
        done = min(100.0, 100.0 * self.processed / self.run.total)
        return 100.0 if self.left == 0 else min(99.99, round(done, 2))


def processed(run: Run) -> int:
    """Return how many of its subjects are dealt with."""
    return run.skipped + sum(RunCount.objects.filter(run=run).values_list("jobs", flat=True))


def progress_of(run: Run) -> Progress:
    """Read the counts."""
    return progress_of_counted(run, dict(RunCount.objects.filter(run=run).values_list("outcome", "jobs")), clock.now())


def progress_of_many(runs: list[Run]) -> list[Progress]:
    """Read the counts of several runs, in one query."""
    counts: dict[Any, dict[str, int]] = {run.id: {} for run in runs}
    for run_id, outcome, jobs in RunCount.objects.filter(run__in=runs).values_list("run_id", "outcome", "jobs"):
        counts[run_id][outcome] = jobs
    now = clock.now()
    return [progress_of_counted(run, counts[run.id], now) for run in runs]


def progress_of_counted(run: Run, counts: dict[str, int], now: datetime) -> Progress:
    """Make it of a run's counts by outcome, read at `now`."""
    cancelled = counts.pop("cancelled", 0)
    failed = sum(jobs for outcome, jobs in counts.items() if _class_of(outcome) is not None)
    results = {outcome: jobs for outcome, jobs in sorted(counts.items()) if jobs and _class_of(outcome) is None}
    succeeded = sum(results.values())
    done = succeeded + failed + cancelled + run.skipped
    running = (now - run.resumed_at).total_seconds() if run.finished_at is None else 0.0
    return Progress(
        run=run,
        processed=done,
        succeeded=succeeded,
        failed=failed,
        cancelled=cancelled,
        skipped=run.skipped,
        results=results,
        rate=_rate(run, done, now) if run.finished_at is None else None,
        elapsed_seconds=run.seconds_before + running,
        read_at=now,
    )


def _class_of(outcome: str) -> str | None:
    """Return the failure class that a counted outcome stands for; None for one that is no failure."""
    dead, _, error_class = outcome.partition(":")
    return error_class if dead == DEAD else None


def _rate(run: Run, done: int, now: datetime) -> float | None:
    """Return subjects a second since the first sample within `LOOK_BACK`, else since it was started or resumed."""
    moment = now.timestamp()
    since, before = next(
        ((at, number) for at, number in run.samples if moment - at <= LOOK_BACK), (run.resumed_at.timestamp(), None)
    )
    if before is None:
        before = 0 if not run.seconds_before else done
    seconds = moment - since
    return (done - before) / seconds if seconds >= 1 and done > before else None


def last_processed(run: Run) -> str | None:
    """Return the last subject of which it and everything before it is done; what `resume_from` takes."""
    with connection.cursor() as cursor:
        cursor.execute(_LAST_DONE, {"run": run.id})
        found = cursor.fetchone()
    return found[0] if found else None


def failures_by_class(run: Run) -> list[dict[str, Any]]:
    """Return the failure classes of its dead jobs: {error_class, count, last_error, last_at}."""
    counted = RunCount.objects.filter(run=run, outcome__startswith=DEAD, jobs__gt=0).values_list("outcome", "jobs")
    numbers = {_class_of(outcome) or "": number for outcome, number in counted}
    if not numbers:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST_BY_CLASS, {"run": run.id, "classes": sorted(numbers)})
        return [
            {"error_class": error_class, "count": numbers[error_class], "last_error": error, "last_at": at}
            for error_class, error, at in cursor.fetchall()
        ]


def last_errors(run: Run) -> list[dict[str, Any]]:
    """Return the last failed attempts of jobs without success, the newest first.

    Each is {job_id, subject, error_class, error, at}.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LAST_ERRORS, {"run": run.id, "limit": ERRORS})
        names = ("job_id", "subject", "error_class", "error", "at")
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
