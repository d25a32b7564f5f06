"""The admin of jobs: watching and steering, never editing rows."""

from jobs.admin.jobs import JobAdmin
from jobs.admin.registry import DeadLetterAdmin, LaneAdmin, WorkerAdmin

__all__ = ["DeadLetterAdmin", "JobAdmin", "LaneAdmin", "WorkerAdmin"]
