"""What the leader does, about once a second: wake lanes with due jobs, take back what lost workers held; and alerts."""

import time
from collections.abc import Callable
from threading import Event

import psycopg
import structlog
from django.db import DatabaseError, OperationalError, close_old_connections

from jobs.alerts.evaluate import ALERT_INTERVAL, watch
from jobs.due import due_lanes, seconds_until_due
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
    """Take back the jobs of expired leases and of lost workers."""
    reopen_elapsed()
    taken = take_back_expired()
    lost = find_lost()
    if taken or lost:
        log.warning("jobs_taken_back", from_expired_leases=taken, lost_workers=lost)


def wake_due() -> float:
    """Send a wake-up to every lane with due jobs; return the seconds until the next look."""
    kinds = [kind.name for kind in all_kinds()]
    for kind in due_lanes(kinds):
        wake(kind)
    soonest = seconds_until_due(kinds)
    return TICK if soonest is None else min(TICK, max(MIN_TICK, soonest))


def _without_harm(duty: Callable[[], None]) -> None:
    """Do a duty whose failure must not keep the leader from the others; an outage is for the caller to handle."""
    try:
        duty()
    except OperationalError:
        raise
    except DatabaseError:
        log.exception("duty_failed", duty=duty.__name__)


def run(stop: Event) -> None:
    """Stand for election until `stop` is set, and do the leader's work while leading. Never raises for an outage."""
    leadership = Leadership()
    leading = False
    next_sweep = 0.0
    next_watch = 0.0
    pause = 0.0
    while not stop.wait(pause):
        try:
            if not leadership.holds():
                pause = STAND_BY
                continue
            if not leading:
                leading = True
                # Not at once: who could not beat while there was no leader, or no database, has time to do so.
                next_watch = time.monotonic() + ALERT_INTERVAL
                log.info("leading")
            pause = wake_due()
            if time.monotonic() >= next_sweep:
                next_sweep = time.monotonic() + SWEEP
                _without_harm(sweep)
            if time.monotonic() >= next_watch:
                next_watch = time.monotonic() + ALERT_INTERVAL
                _without_harm(watch)
        except (psycopg.Error, DatabaseError) as error:
            if leading:
                log.warning("leader_without_database", error=type(error).__name__)
            leading = False
            leadership.resign()
            pause = STAND_BY
        finally:
            close_old_connections()
    leadership.resign()
