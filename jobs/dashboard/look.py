"""One look at the system: everything that the dashboard's parts share, each read once and only when asked for."""

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import F, OuterRef
from django.db.models.functions import JSONObject
from django.utils import timezone

from jobs import selectors, workers
from jobs.dashboard.spans import HOUR, SPANS, Span
from jobs.history.gauges import Point, sampled
from jobs.history.tallies import Counted, counted
from jobs.models import PeriodicTask, Run, RunCount, Step, WorkerProcess
from jobs.runs.progress import Progress, progress_of_counted
from jobs.runs.start import ACTIVE

#: Waiting jobs of a lane are counted up to here: counting a million takes longer than a look may.
COUNT_LIMIT = 10_000
#: Runs and workers that are shown.
MOST_RUNS, MOST_WORKERS = 5, 20


class Look:
    """What is so at one moment, over one span."""

    def __init__(self, span: Span = HOUR, *, now: datetime | None = None) -> None:
        self.span = span
        self.now = now or timezone.now()

    @classmethod
    def over(cls, name: str | None) -> "Look":
        """Return a look over the span of that name; over the usual one when there is no such name."""
        return cls(SPANS.get(name or "", HOUR))

    @cached_property
    def lanes(self) -> list[dict[str, Any]]:
        """Every lane, as `jobs.selectors.lanes` returns it; `waiting` ends at `COUNT_LIMIT`."""
        return selectors.lanes(limit=COUNT_LIMIT)

    @cached_property
    def workers(self) -> list[WorkerProcess]:
        """The latest workers, described; those that are alive come first."""
        described: Any = workers.described().order_by("-last_heartbeat_at")[: 5 * MOST_WORKERS]
        return sorted(described, key=lambda worker: (not worker.is_alive, worker.state == "stopped"))

    @property
    def workers_alive(self) -> list[WorkerProcess]:
        """The workers that beat."""
        return [worker for worker in self.workers if vars(worker)["is_alive"]]

    @cached_property
    def runs(self) -> list[Progress]:
        """The runs that are under way, and the last ones that were."""
        counts = RunCount.objects.filter(run=OuterRef("pk"))
        found = list(
            Run.objects.filter(fed=True)
            .annotate(counted=ArraySubquery(counts.values(count=JSONObject(outcome="outcome", jobs="jobs"))))
            .order_by(F("finished_at").desc(nulls_first=True), "-created_at")[:MOST_RUNS]
        )
        return [
            progress_of_counted(run, {each["outcome"]: each["jobs"] for each in vars(run)["counted"]}, self.now)
            for run in found
        ]

    @property
    def active_runs(self) -> list[Progress]:
        """The runs that are under way."""
        return [progress for progress in self.runs if progress.run.state in ACTIVE]

    @cached_property
    def periodic(self) -> dict[str, PeriodicTask]:
        """What is known of each piece of periodic work."""
        return {task.name: task for task in PeriodicTask.objects.select_related("last_job")}

    @cached_property
    def _since(self) -> dict[Step, datetime]:
        """The cards tell of the last hour whatever the charts show."""
        return {HOUR.step: HOUR.moments(self.now)[0], self.span.step: self.span.moments(self.now)[0]}

    @cached_property
    def _tallies(self) -> dict[Step, list[Counted]]:
        return counted(self._since)

    @cached_property
    def _samples(self) -> dict[Step, dict[str, list[Point]]]:
        return sampled(self._since)

    def tallies(self, span: Span | None = None) -> Sequence[Counted]:
        """What ended within a span, by default the one that was chosen."""
        return self._tallies[(span or self.span).step]

    def samples(self, gauge: str, span: Span | None = None) -> Sequence[Point]:
        """What a gauge showed within a span, oldest first."""
        return self._samples[(span or self.span).step].get(gauge, ())

    def latest(self, gauge: str) -> dict[str, Point]:
        """What a gauge showed last, by label; nothing where it was not read within the last hour."""
        return {point.label: point for point in self.samples(gauge, HOUR)}
