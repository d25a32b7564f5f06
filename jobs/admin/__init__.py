"""The admin of jobs: watching and steering, never editing rows."""

from jobs.admin.bulk import BulkActionAdmin
from jobs.admin.deadletters import DeadLetterAdmin
from jobs.admin.jobs import JobAdmin
from jobs.admin.registry import LaneAdmin, WorkerAdmin
from jobs.admin.runs import RunAdmin

__all__ = ["BulkActionAdmin", "DeadLetterAdmin", "JobAdmin", "LaneAdmin", "RunAdmin", "WorkerAdmin"]
