"""The one dramatiq actor, loaded by workers only. Every lane has its own queue; a message owns no job."""

import dramatiq
from django.conf import settings

from jobs import execute
from jobs.kinds import all_kinds
from jobs.middleware.leader import Leader
from jobs.middleware.registry import Registry
from jobs.wake import ACTOR


@dramatiq.actor(
    actor_name=ACTOR,
    queue_name=all_kinds()[0].name,
    time_limit=int(settings.JOB_TIMEOUT * 1000),
)
def run_lane(kind: str) -> None:
    """Work off one batch of the lane `kind`."""
    execute.run_lane(kind)


for _kind in all_kinds():
    run_lane.broker.declare_queue(_kind.name)

run_lane.broker.add_middleware(Registry())
run_lane.broker.add_middleware(Leader())
