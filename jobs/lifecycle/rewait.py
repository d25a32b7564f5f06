"""Ending an attempt without success: jobs that wait again, or do so no more.

A job waits again under the same unique index as a new one. Two things follow. Where a newer job waits for the same
subject already, it does the work, and this one ends as cancelled. And rows are written one by one in the order of their
subjects, the order in which `enter` writes: in another order the two could deadlock, and an editor's save would fail.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.backends.utils import CursorWrapper
from django.utils.translation import gettext_noop

T = TypeVar("T")

#: How a job ends whose work a newer one does.
SUPERSEDED = gettext_noop("superseded")

_END = """
UPDATE jobs_jobexecution AS job
   SET status = CASE WHEN newer.waits THEN 'cancelled' ELSE %(status)s END,
       result = CASE WHEN newer.waits THEN 'superseded' ELSE '' END,
       finished_at = CASE WHEN newer.waits OR %(status)s = 'dead' THEN statement_timestamp() END,
       next_attempt_at = coalesce(statement_timestamp() + %(delay)s * interval '1 second', job.next_attempt_at),
       attempt = %(attempt)s, rate_limits = %(rate_limits)s, deliveries = %(deliveries)s, lease_id = NULL,
       split_size = %(split_size)s, error_class = coalesce(%(error_class)s, job.error_class),
       error = coalesce(%(error)s, job.error), steps = coalesce(%(steps)s::jsonb, job.steps)
  FROM (SELECT EXISTS (SELECT FROM jobs_jobexecution AS other
                        WHERE other.kind = %(kind)s AND other.subject = %(subject)s
                          AND other.status IN ('queued', 'retrying')) AS waits) AS newer
 WHERE job.id = %(id)s AND job.lease_id = %(lease_id)s AND job.status = 'running'
"""

#: A save may make a waiting job for a subject between our look for one and our own return to waiting; the unique
#: index then refuses us, and the next look sees it.
_TRIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A running job whose attempt ended without success, and what becomes of it."""

    id: UUID
    kind: str
    subject: str
    lease_id: UUID
    #: `queued`, `retrying` or `dead`; `cancelled` instead, where a newer job waits.
    status: str
    attempt: int
    rate_limits: int
    deliveries: int
    #: Seconds until it is due; None: it keeps its place.
    delay: float | None = 0.0
    split_size: int = 0
    #: None leaves what is there: the error of an earlier attempt, and its steps (JSON).
    error_class: str | None = None
    error: str | None = None
    steps: str | None = None


def end_unfinished(jobs: Sequence[Ended]) -> dict[UUID, str]:
    """Write what becomes of the jobs; return the states they are in. Call it in a transaction that holds their rows.

    Of several jobs on one subject the last one given is dealt with first.
    """
    if not jobs:
        return {}
    ordered = sorted(enumerate(jobs), key=lambda numbered: (numbered[1].kind, numbered[1].subject, -numbered[0]))
    write_in_order(_END, [{name: getattr(job, name) for name in Ended.__slots__} for _, job in ordered])
    return states_of([job.id for job in jobs])


def write_in_order(statement: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Execute a statement that makes jobs wait for each of `rows`, again while newer waiting jobs slip in between.

    `rows` come in the order of kinds and subjects.
    """
    _again(lambda cursor: cursor.executemany(statement, rows))


def make_wait(statement: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Execute a statement that makes many jobs wait, in the order of kinds and subjects; return its rows.

    Again while newer waiting jobs slip in between.
    """

    def execute(cursor: CursorWrapper) -> list[tuple[Any, ...]]:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())

    return _again(execute)


def _again(write: Callable[[CursorWrapper], T]) -> T:
    """Write in a savepoint, again when the unique index refuses what the next look will see."""
    for _ in range(_TRIES - 1):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                return write(cursor)
        except IntegrityError:
            continue
    with transaction.atomic(), connection.cursor() as cursor:
        return write(cursor)


def states_of(ids: Sequence[UUID]) -> dict[UUID, str]:
    """Return the states of jobs."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, status FROM jobs_jobexecution WHERE id = ANY(%s)", [list(ids)])
        states: dict[UUID, Any] = dict(cursor.fetchall())
    return states
