"""The one dramatiq actor, loaded by workers only. Every lane has its own queue; a message owns no job."""

import dramatiq
from django.conf import settings

from jobs import execute
from jobs.kinds import all_kinds
from jobs.middleware.leader import Leader
from jobs.middleware.memory import Memory
from jobs.middleware.registry import Registry
from jobs.wake import ACTOR

#: Share of a lease within which a batch ends, well or not: what comes after it could not be stored.
WITHIN_LEASE = 0.9


@dramatiq.actor(
    actor_name=ACTOR,
    queue_name=all_kinds()[0].name,
    time_limit=int(min(settings.JOB_TIMEOUT, WITHIN_LEASE * settings.JOB_LEASE) * 1000),
)
def run_lane(kind: str) -> None:
    """Work off one batch of the lane `kind`."""
    execute.serve(kind)


_registry = Registry()
_registry.say_starting()

for _kind in all_kinds():
    run_lane.broker.declare_queue(_kind.name)
    if _kind.warm_up is not None:
        _kind.warm_up()

# In this order when the process stops; when everything has stopped, the other way round.
for _middleware in (Memory(), _registry, Leader()):
    run_lane.broker.add_middleware(_middleware)
