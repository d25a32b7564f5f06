"""The metric of alerts."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from jobs.alerts.standing import standings
from jobs.metrics import rows_registry


class AlertCollector(Collector):
    """Which rules fire."""

    def collect(self) -> Iterator[Metric]:
        """Read the rows and yield the metric."""
        firing = GaugeMetricFamily(
            "yellowbook_alert_firing", "1 while the rule fires, else 0.", labels=["rule", "severity"]
        )
        for each in standings():
            firing.add_metric([each.rule.name, each.rule.severity], int(each.firing))
        yield firing


def register() -> None:
    """Add the collector to what `/metrics` reads."""
    rows_registry.register(AlertCollector())
