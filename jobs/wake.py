"""Wake-ups: messages that tell a worker to look at a lane. They carry no job, so losing one loses nothing."""

import time
from functools import cache

from dramatiq import Message
from redis import RedisError

from jobs import outage
from jobs.broker import WakeBroker
from jobs.redis import IMPATIENT

#: Name of the one actor; every lane has a queue of its own.
ACTOR = "run_lane"

#: Seconds without any try after Redis failed, so that an outage does not slow down every save.
_REST = 2.0


class _Breaker:
    """Remembers that Redis failed a moment ago. Races are harmless: at worst one more try."""

    def __init__(self) -> None:
        self.closed_until = 0.0

    def trip(self, error: RedisError) -> None:
        self.closed_until = time.monotonic() + _REST
        outage.redis.trip(error)

    @property
    def resting(self) -> bool:
        return time.monotonic() < self.closed_until


_breaker = _Breaker()


@cache
def _broker() -> WakeBroker:
    """Return this process's sending side: impatient, and with no middleware."""
    return WakeBroker(middleware=[], timeout=IMPATIENT)


def wake(kind: str) -> bool:
    """Make sure that a wake-up for the lane is on its way; never raises, return whether Redis took part.

    A message that no worker has fetched yet serves everything committed before it is fetched, so one is enough.
    What can go missing is found by the scheduler, which looks at the rows every second.
    """
    if _breaker.resting:
        return False
    try:
        broker = _broker()
        if not broker.waiting_messages(kind):
            broker.enqueue(Message(queue_name=kind, actor_name=ACTOR, args=(kind,), kwargs={}, options={}))
    except RedisError as error:
        _breaker.trip(error)
        return False
    outage.redis.heal()
    return True
