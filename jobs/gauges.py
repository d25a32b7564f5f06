"""What is measured of jobs, workers and dead letters."""

from jobs import selectors, workers
from jobs.deadletters import unsettled
from jobs.history.gauges import Gauge, register

#: Their names, by which the dashboard asks for them.
WAITING, RUNNING, DEAD_LETTERS, WORKERS = "waiting", "running", "dead_letters", "workers"

register(Gauge(WAITING, lambda: {lane["kind"]: lane["waiting"] for lane in selectors.lanes()}))
register(Gauge(RUNNING, lambda: {lane["kind"]: lane["running"] for lane in selectors.lanes()}))
register(Gauge(DEAD_LETTERS, lambda: {"": unsettled().count()}))
register(Gauge(WORKERS, lambda: {"": workers.alive().count()}))
