"""What the leader does, about once a second: wake lanes with due jobs, take back what lost workers held."""

from threading import Event

import psycopg
import structlog
from django.conf import settings
from django.db import DatabaseError, close_old_connections

from jobs import outage
from jobs.database import note_failure
from jobs.due import due_lanes, seconds_until_due
from jobs.duties import Duty, Rota, register
from jobs.kinds import all_kinds
from jobs.leadership import Leadership
from jobs.lifecycle import take_back_expired
from jobs.lifecycle.circuit import reopen_elapsed
from jobs.wake import wake
from jobs.workers import find_lost

log = structlog.get_logger(__name__)

#: Seconds between looks at what is due; shorter when a job becomes due before.
TICK = 1.0
#: The shortest pause between two looks, in seconds.
MIN_TICK = 0.05
#: Seconds between sweeps of leases and workers.
SWEEP = 2.0
#: Seconds between tries to become the leader, or to reach a database that is away.
STAND_BY = 2.0


def sweep() -> None:
    """Open lanes whose pause is over, and take back the jobs of expired leases."""
    reopen_elapsed()
    taken = take_back_expired()
    if taken:
        log.warning("jobs_taken_back", from_expired_leases=taken)


def sweep_workers() -> None:
    """Take back the jobs of workers that stopped beating."""
    lost = find_lost()
    if lost:
        log.warning("workers_lost", workers=lost)


def wake_due() -> float:
    """Send a wake-up to every lane with due jobs; return the seconds until the next look."""
    kinds = [kind.name for kind in all_kinds()]
    for kind in due_lanes(kinds):
        wake(kind)
    soonest = seconds_until_due(kinds)
    return TICK if soonest is None else min(TICK, max(MIN_TICK, soonest))


register(Duty("sweep", SWEEP, sweep))
# After an outage of the database every worker is late: each gets the time for one beat before it is judged.
register(Duty("sweep_workers", SWEEP, sweep_workers, at_first=lambda: float(settings.WORKER_HEARTBEAT) + SWEEP))


def run(stop: Event) -> None:
    """Stand for election until `stop` is set, and do the leader's work while leading. Never raises for an outage."""
    leadership = Leadership()
    leading = False
    rota = Rota()
    pause = 0.0
    while not stop.wait(pause):
        try:
            if not leadership.holds():
                pause = STAND_BY
                continue
            outage.database.heal()
            if not leading:
                leading, rota = True, Rota()
                log.info("leading")
            pause = wake_due()
            rota.do_due()
        except (psycopg.Error, DatabaseError) as error:
            if not note_failure(error):
                log.exception("leader_failed")
            leading = False
            leadership.resign()
            pause = STAND_BY
        finally:
            close_old_connections()
    leadership.resign()
