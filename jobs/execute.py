"""One turn of a lane: claim a batch, run its handler, store what came of it."""

import time
import traceback
from collections.abc import Mapping
from uuid import UUID

import structlog
from django.db import OperationalError, close_old_connections
from dramatiq.middleware import Interrupt

from jobs import circuit, lanes
from jobs.batch import Batch, Trail
from jobs.budget import Budget
from jobs.clean import clean
from jobs.due import is_due
from jobs.errors import BatchRejected, JobError, NetworkError, ServerError
from jobs.kinds import get_kind
from jobs.lifecycle import Claim, Failure, Postponed, claim, finish
from jobs.lifecycle.finish import Outcome
from jobs.tally import tally
from jobs.wake import wake
from jobs.workers import worker_name

log = structlog.get_logger(__name__)

#: Seconds between tries to store a result while the database is away; after the last one the lease runs out.
_STORE_RETRY_DELAYS = (0.2, 1.0, 3.0, 10.0)


def run_lane(kind_name: str) -> bool:
    """Claim and work off one batch of the lane, as large as its budget; return whether there was one.

    Another worker is woken at once when more is due than this one took, and again when something became due meanwhile.
    Without a budget nothing is claimed, and the scheduler wakes the lane when there is one again.
    """
    kind = get_kind(kind_name)
    circuit.try_again(kind)
    budget = Budget.open(kind, kind.batch_size)
    if budget.units == 0:
        lanes.sleep(kind.name, budget.short_for)
        return False
    claimed = claim(kind, worker=worker_name(), limit=budget.units, ordinary=budget.ordinary)
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
    batch = _handle(Batch(claimed, trail, budget))
    trail.add(100)
    counts = _store(claimed, batch)
    seconds = time.monotonic() - started
    tally.add(processed=sum(counts.values()), failed=counts.get("retrying", 0) + counts.get("dead", 0))
    _report(claimed, batch.outcomes, counts, seconds)


def _store(claimed: Claim, batch: Batch) -> dict[str, int]:
    """Write the outcomes; a database that is away for a moment is waited for."""
    for delay in _STORE_RETRY_DELAYS:
        try:
            return finish(claimed, batch.outcomes, steps=batch.trail.steps, write=batch.write)
        except OperationalError as error:
            log.warning("database_away", error=clean(str(error)), retry_in=delay)
            time.sleep(delay)
            close_old_connections()
    return finish(claimed, batch.outcomes, steps=batch.trail.steps, write=batch.write)


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
        log.exception("handler_failed", jobs=len(batch.jobs))
        message = clean(f"{type(error).__name__}: {error}")
        batch.fail_open(ServerError(message), stack=clean("".join(traceback.format_exception(error))))
    for job in batch.open_jobs:
        batch.succeed(job, "done")
    return batch


def _cleaned(error: JobError) -> JobError:
    error.message = clean(error.message)
    return error


def _report(claimed: Claim, outcomes: Mapping[UUID, Outcome], counts: Mapping[str, int], seconds: float) -> None:
    """Log one line for the batch and one for each job."""
    log.info("batch_done", jobs=len(claimed.jobs), duration_ms=round(seconds * 1000), **counts)
    for job in claimed.jobs:
        outcome = outcomes.get(job.id)
        told = log.bind(job_id=str(job.id), attempt=job.attempt, duration_ms=round(seconds * 1000))
        told = told.bind(**{claimed.kind.subject_name: job.subject})
        if isinstance(outcome, Failure):
            told.warning("job_failed", error_class=str(outcome.error.error_class), error=outcome.error.message)
        elif isinstance(outcome, Postponed):
            told.info("job_postponed", split_size=outcome.split_size)
        else:
            told.info("job_done", result=outcome)
