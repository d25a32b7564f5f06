"""How a worker gets work: it claims a batch of due jobs of one lane under a lease."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from jobs.kinds import Kind

#: Progress of a job that has been claimed.
CLAIMED = 10


@dataclass(frozen=True, slots=True, eq=False)
class ClaimedJob:
    """What a handler gets to know of a job. Equal only to itself, so that it can key a mapping."""

    id: UUID
    subject: str
    operation: str
    priority: int
    attempt: int
    max_retries: int
    rate_limits: int
    deliveries: int
    split_size: int
    run_id: UUID | None
    metadata: Mapping[str, Any]
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Claim:
    """A lease and the jobs it covers, most urgent first."""

    lease_id: UUID
    kind: Kind
    worker: str
    jobs: tuple[ClaimedJob, ...]

    #: How many it could have held.
    limit: int

    @property
    def more_may_be_due(self) -> bool:
        """Whether the claim took as many jobs as it could, or only a part of a rejected batch."""
        return len(self.jobs) >= self.limit or any(job.split_size for job in self.jobs)


#: Claims of one lane take turns on this row, so that the count of leases below can't be out of date.
_TAKE_TURN = """
SELECT (paused_at IS NOT NULL AND (paused_until IS NULL OR paused_until > statement_timestamp()))
       OR coalesce(closed_until > statement_timestamp(), false)
  FROM jobs_lane WHERE kind = %s FOR UPDATE
"""

#: Priority `high` may use the whole budget, the rest only its ordinary part. Jobs of a batch that was rejected come
#: back in parts of `split_size`, and never together with others.
_CHOOSE = """
WITH flying AS (
    SELECT count(*) AS batches FROM jobs_lease WHERE kind = %(kind)s
), urgent AS (
    SELECT id, priority, next_attempt_at, split_size
      FROM jobs_jobexecution
     WHERE kind = %(kind)s AND status IN ('queued', 'retrying') AND next_attempt_at <= statement_timestamp()
       AND priority = 0
     ORDER BY next_attempt_at
     LIMIT %(limit)s
       FOR UPDATE SKIP LOCKED
), ordinary AS (
    SELECT id, priority, next_attempt_at, split_size
      FROM jobs_jobexecution
     WHERE kind = %(kind)s AND status IN ('queued', 'retrying') AND next_attempt_at <= statement_timestamp()
       AND priority IN (1, 2)
     ORDER BY priority, next_attempt_at
     LIMIT greatest(0, least(%(ordinary)s, %(limit)s - (SELECT count(*) FROM urgent)))
       FOR UPDATE SKIP LOCKED
), found AS (
    SELECT * FROM urgent UNION ALL SELECT * FROM ordinary
), head AS (
    SELECT split_size FROM found ORDER BY priority, next_attempt_at, id LIMIT 1
), due AS (
    SELECT found.id, found.next_attempt_at, found.split_size
      FROM found JOIN head USING (split_size)
     ORDER BY found.priority, found.next_attempt_at, found.id
     LIMIT coalesce((SELECT nullif(split_size, 0) FROM head), %(limit)s)
), lease AS (
    INSERT INTO jobs_lease (id, kind, worker, size, steps, claimed_at, expires_at)
    SELECT %(lease_id)s, %(kind)s, %(worker)s, count(*), %(steps)s::jsonb,
           statement_timestamp(), statement_timestamp() + %(lease)s * interval '1 second'
      FROM due, flying
     GROUP BY flying.batches
    HAVING flying.batches < %(concurrency)s
       AND (flying.batches = 0
            OR count(*) = %(limit)s
            OR (SELECT count(*) FROM ordinary)
               = least(%(ordinary)s, %(limit)s - (SELECT count(*) FROM urgent)) AND %(ordinary)s < %(limit)s
            OR max(due.split_size) > 0
            OR min(due.next_attempt_at) <= statement_timestamp() - %(linger)s * interval '1 second')
    RETURNING id
)
"""

#: The columns are the fields of `ClaimedJob` in their order; the same moment for all is parsed once, so it is a text.
_START = """
, started AS (
    UPDATE jobs_jobexecution AS job
       SET status = 'running', lease_id = lease.id, worker = %(worker)s, deliveries = job.deliveries + 1,
           started_at = statement_timestamp(), finished_at = NULL
      FROM due, lease
     WHERE job.id = due.id
    RETURNING job.*
)
SELECT id, subject, operation, priority, attempt, max_retries, rate_limits, deliveries, split_size, run_id, metadata,
       started_at::text
  FROM started ORDER BY priority, next_attempt_at, id
"""
_CLAIM = _CHOOSE + _START

_CHOOSE_ONE = """
WITH due AS (
    SELECT id FROM jobs_jobexecution WHERE id = %(job_id)s AND status IN ('queued', 'retrying') FOR UPDATE
), lease AS (
    INSERT INTO jobs_lease (id, kind, worker, size, steps, claimed_at, expires_at)
    SELECT %(lease_id)s, %(kind)s, %(worker)s, 1, %(steps)s::jsonb,
           statement_timestamp(), statement_timestamp() + %(lease)s * interval '1 second'
      FROM due
    RETURNING id
)
"""
_CLAIM_ONE = _CHOOSE_ONE + _START


def claim(kind: Kind, *, worker: str, limit: int | None = None, ordinary: int | None = None) -> Claim | None:
    """Claim up to `limit` due jobs for `JOB_LEASE` seconds: by priority, then by age.

    Of those, up to `ordinary` may be of other priorities than `high`. Both are `kind.batch_size` unless given.

    Returns None when nothing is due, the lane is paused, as many batches as `kind.concurrency` are under way, or a
    batch is under way and what is due does not fill another one yet (`kind.linger`).
    """
    lease_id = uuid4()
    limit = kind.batch_size if limit is None else min(limit, kind.batch_size)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_TAKE_TURN, [kind.name])
        turn = cursor.fetchone()
        if turn is None:
            cursor.execute("INSERT INTO jobs_lane (kind) VALUES (%s) ON CONFLICT DO NOTHING", [kind.name])
            cursor.execute(_TAKE_TURN, [kind.name])
            turn = cursor.fetchone()
        if turn[0]:
            return None
        cursor.execute(
            _CLAIM,
            {
                "kind": kind.name,
                "limit": limit,
                "ordinary": limit if ordinary is None else min(ordinary, limit),
                "lease_id": lease_id,
                "worker": worker,
                "steps": _first_step(),
                "lease": settings.JOB_LEASE,
                "concurrency": kind.concurrency,
                "linger": kind.linger if kind.batch_size > 1 else 0,
            },
        )
        rows = cursor.fetchall()
    return _made(lease_id, kind, worker, rows, limit) if rows else None


def claim_one(kind: Kind, job_id: UUID, *, worker: str) -> Claim:
    """Claim one waiting job at once, whatever its lane's limits and pause; `LookupError` when it does not wait.

    Called in the transaction that made the job, it can't lose it to a worker.
    """
    lease_id = uuid4()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            _CLAIM_ONE,
            {
                "kind": kind.name,
                "job_id": job_id,
                "lease_id": lease_id,
                "worker": worker,
                "steps": _first_step(),
                "lease": settings.JOB_LEASE,
            },
        )
        rows = cursor.fetchall()
    if not rows:
        raise LookupError(f"job {job_id} does not wait")
    return _made(lease_id, kind, worker, rows, 1)


def _made(lease_id: UUID, kind: Kind, worker: str, rows: list[tuple[Any, ...]], limit: int) -> Claim:
    """Build the claim from the rows of `_START`; a cursor of Django's leaves jsonb as text."""
    started_at = datetime.fromisoformat(rows[0][-1])
    jobs = tuple([ClaimedJob(*(*fields, json.loads(metadata), started_at)) for *fields, metadata, _ in rows])
    return Claim(lease_id=lease_id, kind=kind, worker=worker, jobs=jobs, limit=limit)


def _first_step() -> str:
    return json.dumps([{"progress": CLAIMED, "at": timezone.now().isoformat()}])
