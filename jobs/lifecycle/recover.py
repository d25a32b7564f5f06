"""Taking jobs back from workers that will not finish them."""

from uuid import UUID

from django.db import connection, transaction

from jobs.errors import Poisoned
from jobs.lifecycle.bury import Grave, bury
from jobs.lifecycle.counts import count
from jobs.lifecycle.rewait import Ended, end_unfinished
from jobs.lifecycle.tally import tally
from jobs.models import Attempt, JobExecution

#: A job that was claimed this often without ever finishing is the likely reason why.
MAX_DELIVERIES = 5

#: Two sweeps at once share the work: each takes the leases that the other has not locked.
_LOCK_EXPIRED = """
SELECT id FROM jobs_lease WHERE expires_at <= statement_timestamp() ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
"""
_LOCK_WORKERS = "SELECT id FROM jobs_lease WHERE worker = ANY(%s) ORDER BY id FOR UPDATE"

_HELD = """
SELECT id, kind, subject, lease_id, attempt, rate_limits, deliveries, split_size
  FROM jobs_jobexecution
 WHERE lease_id = ANY(%s) AND status = 'running'
 ORDER BY created_at, id FOR UPDATE
"""

#: Leases taken back in one transaction.
_SWEEP_SIZE = 50


def take_back_expired() -> int:
    """Take back the jobs of leases that ran out; return how many jobs were."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_LOCK_EXPIRED, [_SWEEP_SIZE])
        return _take_back([row[0] for row in cursor.fetchall()])


def release_worker(*workers: str, blame: bool = True, wait: bool = True) -> int:
    """Take back every job that the named workers hold, because they stopped or are lost; return how many were.


    With `blame` off, the delivery does not count against the jobs: their worker was told to stop.
    With `wait` off, a lease is left alone that somebody is ending at this moment: a worker that froze just then would
    hold up the caller for as long as its connection lives.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_LOCK_WORKERS if wait else f"{_LOCK_WORKERS} SKIP LOCKED", [list(workers)])
        return _take_back([row[0] for row in cursor.fetchall()], blame=blame)


def _take_back(leases: list[UUID], *, blame: bool = True) -> int:
    if not leases:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_HELD, [leases])
        names = [column.name for column in cursor.description]
        held = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    if not blame:
        held = [{**row, "deliveries": row["deliveries"] - 1} for row in held]
    # The attempt is not consumed: the job was never told how it ended.
    states = end_unfinished(
        [Ended(**row, status="dead" if row["deliveries"] >= MAX_DELIVERIES else "queued") for row in held]
    )
    dead = [job_id for job_id, status in states.items() if status == "dead"]
    _bury_poisoned(dead)
    count(list(states))
    tally(dead)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM jobs_lease WHERE id = ANY(%s)", [leases])
    return len(states)


def _bury_poisoned(ids: list[UUID]) -> None:
    """Leave a failed attempt and a dead letter for jobs that were delivered too often."""
    if not ids:
        return
    error = Poisoned(f"claimed {MAX_DELIVERIES} times and never finished: it seems to take its worker down")
    jobs = list(JobExecution.objects.filter(id__in=ids))
    JobExecution.objects.filter(id__in=ids).update(error_class=error.error_class, error=error.message)
    Attempt.objects.bulk_create(
        Attempt(
            job=job,
            number=job.attempt,
            started_at=job.started_at or job.created_at,
            error_class=error.error_class,
            error=error.message,
            worker=job.worker,
        )
        for job in jobs
    )
    bury(
        Grave(
            job_id=job.id,
            error=error,
            stack="",
            attempts=job.attempt + job.rate_limits,
            last_attempt_at=job.started_at or job.created_at,
        )
        for job in jobs
    )
