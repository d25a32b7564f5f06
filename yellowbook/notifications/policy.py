"""When a delivery is tried again: eight times within a day, each pause longer than the one before."""

from typing import Final

from jobs.errors import ErrorClass, JobError
from jobs.lifecycle import ClaimedJob
from jobs.retry import DEFAULT_POLICY, EXPONENTIAL

#: Seconds before each further attempt; up to 30 % is added. Together between 19 and 25 hours.
PAUSES: Final = (10.0, 120.0, 900.0, 3600.0, 3 * 3600.0, 6 * 3600.0, 9 * 3600.0)
MAX_RETRIES: Final = len(PAUSES)
#: A receiver that asks for a longer pause, in seconds, gets this one.
LONGEST_PAUSE: Final = PAUSES[-1]

#: One receiver's trouble must not hold up the others: no failure pauses the lane or has it wait. What is wrong with our
#: own mail server (auth, configuration) is tried again, too: whoever puts it right within the day loses no message.
RETRY: Final = {
    **DEFAULT_POLICY,
    ErrorClass.RATE_LIMITED: EXPONENTIAL,
    ErrorClass.QUOTA_EXHAUSTED: EXPONENTIAL,
    ErrorClass.AUTH: EXPONENTIAL,
    ErrorClass.CONFIGURATION: EXPONENTIAL,
}


def is_last(job: ClaimedJob, error: JobError) -> bool:
    """Tell whether this failure ends the job."""
    return not RETRY[error.error_class].retried or job.attempt > job.max_retries


def pause(job: ClaimedJob, error: JobError) -> float:
    """Return the seconds to wait after this failure: those of the attempt, or what the receiver asked for if longer."""
    asked = min(error.retry_after or 0.0, LONGEST_PAUSE)
    return max(asked, PAUSES[min(job.attempt, len(PAUSES)) - 1])
