"""What the last audit found, as metrics."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from jobs.metrics import rows_registry
from jobs.upkeep.selectors import audit_results


class AuditCollector(Collector):
    """Violations by invariant, and how old that knowledge is."""

    def collect(self) -> Iterator[Metric]:
        """Read the rows and yield the metrics; an invariant that was never checked has none."""
        violations = GaugeMetricFamily(
            "yellowbook_invariant_violations", "Rows that violate an invariant, at the last audit.", labels=["name"]
        )
        age = GaugeMetricFamily(
            "yellowbook_invariant_age_seconds", "Time since an invariant was checked.", labels=["name"]
        )
        for row in audit_results():
            if row.count is not None:
                violations.add_metric([row.name], row.count)
                age.add_metric([row.name], float(row.age))
        yield from (violations, age)


def register() -> None:
    """Add the collector to what `/metrics` reads."""
    rows_registry.register(AuditCollector())
