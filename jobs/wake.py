"""Wake-ups: messages that tell a worker to look at a lane. They carry no job, so losing one loses nothing."""

import time
from functools import cache

from dramatiq import Message
from dramatiq.errors import ConnectionClosed

from jobs.broker.base import WakeBroker, broker_class, make_broker
from jobs.broker.errands import Errands
from jobs.redis import IMPATIENT, PATIENT

#: Name of the one actor; every lane has a queue of its own.
ACTOR = "run_lane"

#: Seconds without any try after the broker failed, so that an outage does not slow down every save.
_REST = 2.0


class _Breaker:
    """Remembers that the broker failed a moment ago. Races are harmless: at worst one more try."""

    def __init__(self) -> None:
        self.closed_until = 0.0

    def trip(self) -> None:
        self.closed_until = time.monotonic() + _REST

    @property
    def resting(self) -> bool:
        return time.monotonic() < self.closed_until


_breaker = _Breaker()


@cache
def _broker() -> WakeBroker:
    """Return this process's sending side: impatient where a save waits for it."""
    return make_broker(timeout=IMPATIENT if broker_class().any_thread else PATIENT)


def wake(kind: str) -> bool:
    """Make sure that a wake-up for the lane is on its way; never raises, return whether the broker took part.

    A message that no worker has fetched yet serves everything committed before it is fetched, so one is enough.
    What can go missing is found by the scheduler, which looks at the rows every second.
    """
    if _breaker.resting:
        return False
    if _broker().any_thread:
        return _send(kind)
    _errands.add(kind)
    return True


def _send(kind: str) -> bool:
    """Send a wake-up now."""
    broker = _broker()
    try:
        broker.enqueue_once(Message(queue_name=kind, actor_name=ACTOR, args=(kind,), kwargs={}, options={}))
    except ConnectionClosed as error:
        _breaker.trip()
        broker.outage.trip(error.__cause__ or error)
        return False
    broker.outage.heal()
    return True


_errands = Errands(lambda kind: _breaker.resting or _send(kind), rest=lambda: _broker().hang_up())
