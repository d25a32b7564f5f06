"""The retry table: what each failure class leads to. One row per class; a kind of job may replace rows."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from jobs.errors import ErrorClass

#: Seconds before the first retry; doubled for each one after it.
BASE_DELAY: Final = 1.0
#: No exponential delay is longer, in seconds, before jitter.
MAX_DELAY: Final = 60.0
#: A delay is stretched by up to this share, so that jobs that failed together do not come back together.
JITTER: Final = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """How a failure closes its lane: what is wrong concerns every job of it."""

    #: Opens by itself when the provider's daily quotas start anew; otherwise only a person or a probe opens it.
    until_reset: bool = False
    #: Seconds between probes, which open the lane when they succeed; None: no probes.
    probe_every: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One row of the table."""

    #: Whether the job is tried again at all.
    retried: bool
    #: How many retries this class has; None: as many as the job's own `max_retries`.
    retries: int | None = None
    #: Counted apart from other failures: does not use up the job's attempts.
    counted_apart: bool = False
    #: Fixed delay in seconds; None: exponential.
    delay: float | None = None
    #: Whether the whole lane waits as long as the job does.
    lane_waits: bool = False
    #: How it pauses the lane; None: not at all.
    pause: Pause | None = None


EXPONENTIAL: Final = Rule(retried=True)
PERMANENT: Final = Rule(retried=False)

DEFAULT_POLICY: Final[Mapping[ErrorClass, Rule]] = {
    ErrorClass.NETWORK: EXPONENTIAL,
    ErrorClass.SERVER: EXPONENTIAL,
    ErrorClass.BAD_RESPONSE: EXPONENTIAL,
    ErrorClass.RATE_LIMITED: Rule(retried=True, retries=5, counted_apart=True, delay=60.0, lane_waits=True),
    ErrorClass.QUOTA_EXHAUSTED: Rule(retried=False, pause=Pause(until_reset=True)),
    ErrorClass.AUTH: Rule(retried=False, pause=Pause(probe_every=600.0)),
    ErrorClass.CONFIGURATION: Rule(retried=False, pause=Pause()),
    ErrorClass.INVALID_INPUT: PERMANENT,
    ErrorClass.BATCH_REJECTED: PERMANENT,
    ErrorClass.NOT_FOUND: PERMANENT,
    ErrorClass.POISONED: PERMANENT,
}


def delay_before_retry(
    rule: Rule, *, attempt: int, retry_after: float | None = None, rng: random.Random | None = None
) -> float:
    """Return the seconds to wait after the failed `attempt` (1-based).

    min(1 s * 2^(attempt - 1), 60 s) or the rule's fixed delay, or what the other side asked for if that is longer,
    plus up to 30 % jitter.
    """
    exponential = BASE_DELAY * 2 ** min(attempt - 1, 10)
    delay = rule.delay if rule.delay is not None else min(exponential, MAX_DELAY)
    delay = max(delay, retry_after or 0.0)
    return delay * (1.0 + JITTER * (rng or random).random())
