"""Dead letters: written in the transaction that ends the job."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from jobs.errors import JobError
from jobs.models import DeadLetter, JobExecution
from jobs.payload import payload

#: What differs between failures of one cause: ids, numbers, quoted names.
_VARIABLE = re.compile(r"(?<!\w)'[^']*'(?!\w)|\"[^\"]*\"|[0-9a-f]{8}-[0-9a-f-]{27}|\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Grave:
    """A job that just became dead, and why."""

    job_id: UUID
    error: JobError
    stack: str
    #: Tries that were made, rate limits included, since the job was made or last retried by a person.
    attempts: int
    last_attempt_at: datetime


def fingerprint(kind: str, error: JobError) -> str:
    """Return 16 hex digits that dead letters of one cause share: numbers, ids and quoted names do not count."""
    cause = _VARIABLE.sub("#", error.message.lower())
    return hashlib.sha256(f"{kind}\n{error.error_class}\n{cause}".encode()).hexdigest()[:16]


def _details(grave: Grave) -> dict[str, Any]:
    error = grave.error
    details = {"message": error.message, "stack": grave.stack, "status_code": error.status_code}
    return details if error.sample is None else {**details, "sample": error.sample}


def bury(graves: Iterable[Grave]) -> None:
    """Leave one dead letter for each job; the jobs are read back, so call it after their status was written."""
    by_id = {grave.job_id: grave for grave in graves}
    if not by_id:
        return
    DeadLetter.objects.bulk_create(
        DeadLetter(
            job=job,
            kind=job.kind,
            subject=job.subject,
            payload=payload(job),
            error_class=by_id[job.id].error.error_class,
            fingerprint=fingerprint(job.kind, by_id[job.id].error),
            failure_reason=by_id[job.id].error.message,
            error_details=_details(by_id[job.id]),
            attempts=by_id[job.id].attempts,
            enqueued_at=job.created_at,
            last_attempt_at=by_id[job.id].last_attempt_at,
        )
        for job in JobExecution.objects.filter(id__in=by_id)
    )
