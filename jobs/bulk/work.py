"""The job that works a bulk action off.

A turn takes batch after batch for some seconds, then gives its thread back: the job waits again, behind those of other
bulk actions, and with no attempt consumed. A batch changes its rows, counts them and moves the cursor in one
transaction that holds the bulk action's row. So a worker may be killed at any moment, and another one go on beside it:
no row is dealt with twice or left out, and a stop takes effect between two batches.
"""

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from math import ceil
from typing import Any, Final
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Coalesce, Now

from jobs import clock
from jobs.batch import Batch
from jobs.bulk.actions import Action, Asked, Outcome, action_of
from jobs.bulk.criteria import rows_of
from jobs.bulk.reasons import IT_FAILED
from jobs.bulk.start import log as write_log
from jobs.database import OPERATIONAL
from jobs.errors import NotFound
from jobs.models import BulkAction
from jobs.process.stopping import may_claim
from jobs.wake import wake

log = structlog.get_logger(__name__)

State = BulkAction.State

#: Rows that one batch looks at.
BATCH: Final = 500
#: Seconds after which a turn begins no further batch.
TURN: Final = 5.0


def work_on(batch: Batch) -> None:
    """Give each bulk action of the batch a turn (`jobs.kinds.Kind.handler`)."""
    for job in batch.jobs:
        try:
            wait = turn(UUID(job.subject))
        except BulkAction.DoesNotExist:
            batch.fail(job, NotFound("The bulk action does not exist any more."))
            continue
        if wait is None:
            batch.succeed(job, BulkAction.objects.values_list("state", flat=True).get(id=job.subject))
        else:
            batch.postpone(job, delay=wait)


def turn(bulk_id: UUID, *, elapsed: Callable[[], float] = time.monotonic) -> float | None:
    """Work for up to `TURN` seconds; return the seconds after which to go on, None when it is over.

    Raises `BulkAction.DoesNotExist`, and what makes every batch impossible: an unknown action, a filter that nobody
    understands any more, a database that is away.
    """
    until = elapsed() + TURN
    rows: QuerySet[Any] | None = None
    while may_claim() and elapsed() < until:
        with transaction.atomic():
            bulk = BulkAction.objects.select_for_update(no_key=True).get(id=bulk_id)
            if bulk.state not in {*BulkAction.UNDER_WAY, State.FAILED}:
                return None
            wait = seconds_to_wait(bulk.next_at, clock.now())
            if wait:
                return wait
            if rows is None:
                rows = rows_of(bulk)
            if not _work_off(bulk, rows):
                return None
    return 0.0


def seconds_to_wait(next_at: datetime | None, now: datetime) -> float:
    """Return the seconds until the next batch may begin."""
    return max(0.0, (next_at - now).total_seconds()) if next_at else 0.0


def batch_size(per_second: int | None) -> int:
    """Return how many rows a batch looks at: a second's worth, or where that is much an equal part of it."""
    return per_second // _parts(per_second) if per_second else BATCH


def next_after(now: datetime, done: int, per_second: int | None) -> datetime | None:
    """Return when the next batch may begin after one that changed `done` rows by `now`; None: at once.

    The pauses of as many batches as make a second's worth are a second long, whatever each of them changed. A worker
    that was away does not make up for it. So no second ever sees more than `per_second`.
    """
    if not (per_second and done):
        return None
    return now + timedelta(microseconds=ceil(1_000_000 / _parts(per_second)))


def _parts(per_second: int) -> int:
    return ceil(per_second / BATCH)


def _work_off(bulk: BulkAction, rows: QuerySet[Any]) -> bool:
    """Deal with the next batch; return whether there may be more. Call it in a transaction that holds the row."""
    action = action_of(bulk)
    limit = batch_size(bulk.per_second)
    ids, cursor = action.keyset.page(rows, bulk.cursor, limit)
    outcome = _applied(action, ids, Asked(bulk.requested_by, bulk.source, bulk.note)) if ids else Outcome()
    total = Outcome(bulk.done, bulk.reasons) + outcome
    over = len(ids) < limit
    BulkAction.objects.filter(id=bulk.id).update(
        state=State.DONE if over else State.WORKING,
        done=total.done,
        skipped=total.skipped,
        reasons=dict(total.reasons),
        cursor=cursor,
        next_at=next_after(clock.now(), outcome.done, bulk.per_second),
        error="",
        started_at=Coalesce("started_at", Now()),
        finished_at=Now() if over else None,
    )
    for kind in outcome.kinds:
        transaction.on_commit(partial(wake, kind), robust=True)
    if over:
        write_log(bulk, f"{bulk.action} done: {total.done} changed, {total.skipped} skipped")
        log.info("bulk_action_done", bulk_action_id=str(bulk.id), done=total.done, skipped=total.skipped)
    return not over


def _applied(action: Action, ids: Sequence[Any], asked: Asked) -> Outcome:
    """Do it to a batch. Where that fails the batch is halved until the row that fails stands alone: it is skipped."""
    try:
        with transaction.atomic():
            return action.apply(ids, asked, None)
    except OPERATIONAL:
        raise
    except Exception as error:
        if len(ids) > 1:
            half = len(ids) // 2
            return _applied(action, ids[:half], asked) + _applied(action, ids[half:], asked)
        log.exception("bulk_row_failed", action=action.name, row=str(ids[0]))
        return Outcome(0, {f"{IT_FAILED}{type(error).__name__}": 1})
