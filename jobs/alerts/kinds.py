"""The kind of job that delivers alerts: each channel by itself, with a lane of its own."""

from jobs.alerts.deliver import deliver
from jobs.alerts.names import DELIVER_ALERT
from jobs.errors import ErrorClass
from jobs.kinds import Kind, register
from jobs.retry import DEFAULT_POLICY, PERMANENT, Rule

#: Failed tries after which a message is given up: about half an hour of them. A reminder follows anyhow.
MAX_RETRIES = 30

#: One channel's trouble must not hold up the other: no failure pauses the lane, and nobody else waits for a rate limit.
RETRY = {
    **DEFAULT_POLICY,
    ErrorClass.RATE_LIMITED: Rule(retried=True, retries=5, counted_apart=True, delay=60.0),
    ErrorClass.QUOTA_EXHAUSTED: PERMANENT,
    ErrorClass.AUTH: PERMANENT,
    ErrorClass.CONFIGURATION: PERMANENT,
}

register(
    Kind(
        name=DELIVER_ALERT,
        handler=deliver,
        subject_name="alert_event",
        batch_size=1,
        concurrency=1,
        max_retries=MAX_RETRIES,
        retry=RETRY,
    )
)
