"""One turn of a lane: claim a batch, run its handler, store what came of it."""

import time
import traceback
from collections.abc import Mapping, Sequence
from uuid import UUID

import structlog
from django.db import OperationalError, close_old_connections
from dramatiq.middleware import Interrupt

from jobs.batch import Batch, Trail, write_all
from jobs.clean import clean
from jobs.due import is_due
from jobs.errors import BatchRejected, JobError, NetworkError, ServerError
from jobs.kinds import get_kind
from jobs.lifecycle import Claim, ClaimedJob, Failure, claim, finish
from jobs.lifecycle.finish import Outcome
from jobs.tally import tally
from jobs.wake import wake
from jobs.workers import worker_name

log = structlog.get_logger(__name__)

#: Seconds between tries to store a result while the database is away; after the last one the lease runs out.
_STORE_RETRY_DELAYS = (0.2, 1.0, 3.0, 10.0)


def run_lane(kind_name: str) -> bool:
    """Claim and work off one batch of the lane; return whether there was one.

    Another worker is woken at once when more is due than this one took, and again when something became due meanwhile.
    """
    kind = get_kind(kind_name)
    claimed = claim(kind, worker=worker_name())
    if claimed is None:
        return False
    if claimed.is_full:
        wake(kind.name)
    with structlog.contextvars.bound_contextvars(lane=kind.name, lease_id=str(claimed.lease_id)):
        work_off(claimed)
    if is_due(kind.name):
        wake(kind.name)
    return True


def work_off(claimed: Claim) -> None:
    """Run the handler over a claim's jobs and end them."""
    started = time.monotonic()
    trail = Trail(claimed.lease_id)
    trail.add(10, claimed.jobs[0].started_at)
    parts = _handle(claimed, claimed.jobs, trail)
    trail.add(100)
    outcomes = {job_id: outcome for part in parts for job_id, outcome in part.outcomes.items()}
    for delay in (*_STORE_RETRY_DELAYS, None):
        try:
            counts = finish(
                claimed, outcomes, steps=trail.steps, write=write_all(w for part in parts for w in part.writes)
            )
            break
        except OperationalError as error:
            if delay is None:
                raise
            log.warning("database_away", error=clean(str(error)), retry_in=delay)
            time.sleep(delay)
            close_old_connections()
    seconds = time.monotonic() - started
    tally.add(processed=sum(counts.values()), failed=counts.get("retrying", 0) + counts.get("dead", 0))
    _report(claimed, outcomes, counts, seconds)


def _handle(claimed: Claim, jobs: Sequence[ClaimedJob], trail: Trail) -> list[Batch]:
    """Run the handler; where it says that the batch was rejected, halve until the bad job stands alone."""
    batch = Batch(claimed, jobs, trail)
    try:
        claimed.kind.handler(batch)
    except BatchRejected as error:
        if len(jobs) > 1:
            middle = len(jobs) // 2
            return _handle(claimed, jobs[:middle], trail) + _handle(claimed, jobs[middle:], trail)
        batch.fail_open(error)
    except JobError as error:
        batch.fail_open(_cleaned(error))
    except Interrupt as interrupt:
        batch.fail_open(NetworkError(f"stopped by {type(interrupt).__name__} before it came to an end"))
    except Exception as error:
        log.exception("handler_failed", jobs=len(jobs))
        message = clean(f"{type(error).__name__}: {error}")
        batch.fail_open(ServerError(message), stack=clean("".join(traceback.format_exception(error))))
    for job in batch.open_jobs:
        batch.succeed(job, "done")
    return [batch]


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
        else:
            told.info("job_done", result=outcome)
