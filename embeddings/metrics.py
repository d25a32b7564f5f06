"""Metrics of coverage and of the provider, read from the rows."""

from collections.abc import Iterator

from django.db.models import Sum
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from embeddings.models import ProviderUsage
from embeddings.selectors import coverage
from jobs.metrics import rows_registry

_LABELS = ["provider", "model", "outcome"]


class EmbeddingCollector(Collector):
    """Coverage of the businesses, and what was asked of the providers."""

    def collect(self) -> Iterator[Metric]:
        """Read the rows and yield the metrics."""
        now = coverage()
        businesses = GaugeMetricFamily("yellowbook_businesses", "Businesses, by their embedding.", labels=["embedding"])
        businesses.add_metric(["present"], now["with_embeddings"])
        businesses.add_metric(["missing"], now["without_embeddings"])
        businesses.add_metric(["stale"], now["stale"])
        ratio = GaugeMetricFamily(
            "yellowbook_embedding_coverage_ratio", "Share of businesses with a vector by the model in use."
        )
        ratio.add_metric([], now["coverage_percentage"] / 100)
        yield from (businesses, ratio)
        yield from self._usage()

    def _usage(self) -> Iterator[Metric]:
        calls = CounterMetricFamily("yellowbook_provider_calls", "Calls to the provider.", labels=_LABELS)
        texts = CounterMetricFamily("yellowbook_provider_texts", "Texts sent to the provider.", labels=_LABELS)
        seconds = CounterMetricFamily("yellowbook_provider_seconds", "Time spent in calls.", labels=_LABELS)
        sums = ProviderUsage.objects.values(*_LABELS).annotate(
            all_calls=Sum("calls"), all_texts=Sum("texts"), all_seconds=Sum("seconds")
        )
        for row in sums.order_by(*_LABELS):
            labels = [row[label] for label in _LABELS]
            calls.add_metric(labels, row["all_calls"])
            texts.add_metric(labels, row["all_texts"])
            seconds.add_metric(labels, row["all_seconds"])
        yield from (calls, texts, seconds)


def register() -> None:
    """Add the collector to what `/metrics` reads."""
    rows_registry.register(EmbeddingCollector())
