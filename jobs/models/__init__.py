"""The rows behind durable jobs. PostgreSQL is the truth: every count on a screen comes from here."""

from jobs.models.bulk import BulkAction
from jobs.models.dead_letter import DeadLetter
from jobs.models.history import Ending, Sample, Step, Tally
from jobs.models.idempotency import IdempotentRequest
from jobs.models.job import Attempt, JobExecution
from jobs.models.lane import Lane, Lease
from jobs.models.periodic import PeriodicTask
from jobs.models.run import Run, RunCount
from jobs.models.worker import WorkerProcess

__all__ = [
    "Attempt",
    "BulkAction",
    "DeadLetter",
    "Ending",
    "IdempotentRequest",
    "JobExecution",
    "Lane",
    "Lease",
    "PeriodicTask",
    "Run",
    "RunCount",
    "Sample",
    "Step",
    "Tally",
    "WorkerProcess",
]
