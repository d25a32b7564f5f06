"""One turn of a lane: claim a batch, run its handler, store what came of it."""

import time
import traceback
from collections.abc import Mapping
from itertools import chain, repeat
from uuid import UUID

import structlog
from django.conf import settings
from django.db import close_old_connections
from dramatiq.middleware import Interrupt

from jobs import circuit, lanes, outage
from jobs.batch import Batch, Trail
from jobs.budget import Budget
from jobs.clean import clean
from jobs.database import OPERATIONAL, note_failure
from jobs.due import is_due
from jobs.errors import BatchRejected, JobError, NetworkError, ServerError
from jobs.kinds import get_kind
from jobs.lifecycle import Claim, Failure, Postponed, claim, finish
from jobs.lifecycle.finish import Outcome
from jobs.process.guard import guard
from jobs.process.stopping import may_claim
from jobs.process.work import work
from jobs.runs.attend import attend
from jobs.wake import wake
from jobs.workers import worker_name

log = structlog.get_logger(__name__)

#: Seconds between tries to store a result while the database is away, the last of them again and again.
_STORE_RETRY_DELAYS = (0.2, 0.5, 1.0, 2.0)


def serve(kind_name: str) -> None:
    """Give the lane its turn. While the database is away nothing happens: the scheduler sends another wake-up later."""
    try:
        run_lane(kind_name)
    except OPERATIONAL as error:
        if not note_failure(error):
            raise


def run_lane(kind_name: str) -> bool:
    """Claim and work off one batch of the lane, as large as budget and memory allow; return whether there was one.

    Another worker is woken at once when more is due than this one took, and again when something became due meanwhile.
    Without a budget nothing is claimed, and the scheduler wakes the lane when there is one again.
    """
    if not may_claim():
        return False
    kind = get_kind(kind_name)
    circuit.try_again(kind)
    wanted = min(kind.batch_size, guard.affordable(kind.job_bytes))
    budget = Budget.open(kind, wanted)
    if budget.units == 0:
        lanes.sleep(kind.name, budget.short_for)
        return False
    limit = wanted if budget.units is None else budget.units
    claimed = claim(kind, worker=worker_name(), limit=limit, ordinary=budget.ordinary) if may_claim() else None
    if budget.keep(len(claimed.jobs) if claimed else 0):
        lanes.rouse(kind.name)
    if claimed is None:
        if budget.short_for:
            lanes.sleep(kind.name, budget.short_for)
        return False
    if claimed.more_may_be_due:
        wake(kind.name)
    with structlog.contextvars.bound_contextvars(lane=kind.name, lease_id=str(claimed.lease_id)):
        work_off(claimed, budget)
    attend({job.run_id for job in claimed.jobs if job.run_id})
    if budget.short_for:
        lanes.sleep(kind.name, budget.short_for)
    else:
        lanes.rouse(kind.name)
        if is_due(kind.name):
            wake(kind.name)
    return True


def work_off(claimed: Claim, budget: Budget) -> None:
    """Run the handler over a claim's jobs and end them."""
    started = time.monotonic()
    trail = Trail(claimed.lease_id)
    trail.add(10, claimed.jobs[0].started_at)
    with work.doing(claimed.kind.name, len(claimed.jobs)):
        batch = _handle(Batch(claimed, trail, budget))
        trail.add(100)
        counts = _store(claimed, batch, until=started + settings.JOB_LEASE)
        batch.let_go()
    seconds = time.monotonic() - started
    # Jobs that were given back, or that somebody else has taken over, had no end here.
    ended = sum(count for state, count in counts.items() if state not in {"queued", "lost"})
    work.count(processed=ended, failed=counts.get("retrying", 0) + counts.get("dead", 0))
    _report(claimed, batch.outcomes, counts, seconds)


def _store(claimed: Claim, batch: Batch, *, until: float) -> dict[str, int]:
    """Write the outcomes; a database that is away is waited for as long as the lease may last.

    The result was paid for, so the thread holds on to it. Where an answer got lost in the middle of a commit, the next
    try finds out which way it went: jobs that have ended are no longer held.
    """
    delays = chain(_STORE_RETRY_DELAYS, repeat(_STORE_RETRY_DELAYS[-1]))
    while True:
        try:
            counts = finish(claimed, batch.outcomes, steps=batch.trail.steps, write=batch.write)
        except OPERATIONAL as error:
            if time.monotonic() > until:
                raise
            if not note_failure(error):
                log.warning("store_failed", error=clean(str(error)))
            close_old_connections()
            # Holding the thread is meant: the answer exists nowhere else, and there is nothing to claim meanwhile.
            time.sleep(next(delays))
        else:
            outage.database.heal()
            return counts


def _handle(batch: Batch) -> Batch:
    """Run the handler and see to it that every job has an outcome."""
    try:
        batch.kind.handler(batch)
    except BatchRejected as error:
        batch.split(_cleaned(error))
    except JobError as error:
        batch.fail_open(_cleaned(error))
    except Interrupt as interrupt:
        batch.fail_open(NetworkError(f"stopped by {type(interrupt).__name__} before it came to an end"))
    except Exception as error:
        if isinstance(error, OPERATIONAL) and note_failure(error):
            # Nobody's attempt: the jobs go back as they came, once there is a database to write that to.
            for job in batch.open_jobs:
                batch.postpone(job)
            return batch
        log.exception("handler_failed", jobs=len(batch.jobs))
        message = clean(f"{type(error).__name__}: {_said(error)}")
        batch.fail_open(ServerError(message), stack=clean("".join(traceback.format_exception(error))))
    for job in batch.open_jobs:
        batch.succeed(job, "done")
    return batch


def _cleaned(error: JobError) -> JobError:
    error.message = clean(str(error.message))
    return error


def _said(error: Exception) -> str:
    """Return what an exception says; one that fails at it must not take the batch with it."""
    try:
        return str(error)
    except Exception:
        # Anybody's `__str__` may fail.
        return "(its message can't be read)"


def _report(claimed: Claim, outcomes: Mapping[UUID, Outcome], counts: Mapping[str, int], seconds: float) -> None:
    """Log one line for the batch and one for each job."""
    duration, subject_name = round(seconds * 1000), claimed.kind.subject_name
    log.info("batch_done", jobs=len(claimed.jobs), duration_ms=duration, **counts)
    for job in claimed.jobs:
        outcome = outcomes.get(job.id)
        told = {"job_id": str(job.id), "attempt": job.attempt, "duration_ms": duration, subject_name: job.subject}
        if isinstance(outcome, Failure):
            told |= {"error_class": str(outcome.error.error_class), "error": outcome.error.message}
            log.warning("job_failed", **told)
        elif isinstance(outcome, Postponed):
            log.info("job_postponed", split_size=outcome.split_size, **told)
        else:
            log.info("job_done", result=outcome, **told)
