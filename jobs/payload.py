"""The payload of a job, as it is told to people and kept with its dead letter."""

from typing import Any

from jobs.kinds import UnknownKind, get_kind
from jobs.models import JobExecution
from jobs.states import Priority


def subject_name(kind: str) -> str:
    """Return what the subject of a kind is called outside, e.g. `business_id`; `subject` for a kind no longer known."""
    try:
        return get_kind(kind).subject_name
    except UnknownKind:
        return "subject"


def payload(job: JobExecution) -> dict[str, Any]:
    """Return what the job was asked to do; only ids and plain values."""
    return {
        "job_id": str(job.id),
        "kind": job.kind,
        subject_name(job.kind): job.subject,
        "operation": job.operation,
        "priority": Priority(job.priority).label,
        "attempt": job.attempt,
        "max_retries": job.max_retries,
        "metadata": job.metadata,
    }
