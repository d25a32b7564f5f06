"""Metrics that are read from the rows, where counts kept by each process would disagree.

An app adds its own by registering a collector with `rows_registry`.
"""

from collections.abc import Iterator

from django.db import connection
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from jobs import selectors, workers
from jobs.models import DeadLetter

#: Holds the collectors that read rows.
rows_registry = CollectorRegistry()

#: Seconds of finished jobs that durations and outcomes are taken from.
WINDOW = 3600

_FINISHED = """
SELECT kind, status, result, error_class, count(*),
       percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY extract(epoch FROM finished_at - started_at)),
       percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY extract(epoch FROM started_at - created_at))
  FROM jobs_jobexecution
 WHERE status IN ('succeeded', 'dead', 'cancelled') AND finished_at > statement_timestamp() - %s * interval '1 second'
 GROUP BY kind, status, result, error_class
"""


class JobCollector(Collector):
    """Lanes, outcomes, durations, dead letters and workers."""

    def collect(self) -> Iterator[Metric]:
        """Read the rows and yield the metrics."""
        yield from self._lanes()
        yield from self._finished()
        dead = GaugeMetricFamily("yellowbook_dead_letters", "Dead letters that no person has settled.")
        dead.add_metric([], DeadLetter.objects.filter(resolved_at__isnull=True).count())
        yield dead
        alive = GaugeMetricFamily("yellowbook_workers_alive", "Worker processes that beat.")
        alive.add_metric([], workers.alive().count())
        yield alive
        stuck = GaugeMetricFamily("yellowbook_workers_stuck", "Worker processes that beat but do not get on.")
        stuck.add_metric([], workers.stuck().count())
        yield stuck
        full = GaugeMetricFamily("yellowbook_workers_memory_high", "Worker processes that claim nothing for memory.")
        full.add_metric([], workers.alive().filter(memory_high=True).count())
        yield full

    def _lanes(self) -> Iterator[Metric]:
        waiting = GaugeMetricFamily("yellowbook_jobs_waiting", "Jobs that wait.", labels=["kind"])
        running = GaugeMetricFamily("yellowbook_jobs_running", "Jobs that run.", labels=["kind"])
        oldest = GaugeMetricFamily(
            "yellowbook_jobs_oldest_waiting_seconds", "Time that the oldest due job has waited.", labels=["kind"]
        )
        paused = GaugeMetricFamily(
            "yellowbook_lane_paused",
            "1 while the lane is paused; `circuit` is the failure class that paused it, empty when a person did.",
            labels=["kind", "circuit"],
        )
        for lane in selectors.lanes():
            waiting.add_metric([lane["kind"]], lane["waiting"])
            running.add_metric([lane["kind"]], lane["running"])
            oldest.add_metric([lane["kind"]], lane["oldest_waiting_seconds"] or 0)
            paused.add_metric([lane["kind"], lane["circuit"]], int(lane["paused"]))
        yield from (waiting, running, oldest, paused)

    def _finished(self) -> Iterator[Metric]:
        labels = ["kind", "status", "result", "error_class"]
        finished = GaugeMetricFamily(
            "yellowbook_jobs_finished_last_hour", "Jobs that ended within the last hour.", labels=labels
        )
        run = GaugeMetricFamily("yellowbook_job_run_seconds", "Time from claim to end.", labels=[*labels, "quantile"])
        wait = GaugeMetricFamily(
            "yellowbook_job_wait_seconds", "Time from making to claim.", labels=[*labels, "quantile"]
        )
        with connection.cursor() as cursor:
            cursor.execute(_FINISHED, [WINDOW])
            for kind, status, result, error_class, count, runs, waits in cursor.fetchall():
                values = [kind, status, result, error_class]
                finished.add_metric(values, count)
                for quantile, seconds in zip(("0.5", "0.95", "0.99"), runs or (), strict=False):
                    run.add_metric([*values, quantile], seconds)
                for quantile, seconds in zip(("0.5", "0.95", "0.99"), waits or (), strict=False):
                    wait.add_metric([*values, quantile], seconds)
        yield from (finished, run, wait)


rows_registry.register(JobCollector())
