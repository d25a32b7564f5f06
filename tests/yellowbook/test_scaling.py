"""The page about going past one machine says what is there: its SQL runs, its YAML asks for metrics that there are."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml
from django.db import connection
from django.utils import timezone

from jobs.kinds import get_kind
from jobs.metrics import rows_registry
from jobs.models import JobExecution
from jobs.upkeep.kinds import PRUNE
from jobs.upkeep.pruners import prune
from tests.jobs.support import put
from yellowbook.local.options import ROOT

PAGE = (ROOT / "yellowbook" / "scaling.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """Return the blocks of code in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def manifests() -> dict[str, Any]:
    """Return the examples for Kubernetes by what they are; the rules of the adapter by their key."""
    parsed = [yaml.safe_load(each) for each in blocks("yaml")]
    return {each.get("kind", "externalRules"): each for each in parsed}


def queries() -> list[str]:
    """Return what the examples ask of Prometheus."""
    (trigger,) = manifests()["ScaledObject"]["spec"]["triggers"]
    (rule,) = manifests()["externalRules"]["externalRules"]
    return [trigger["metadata"]["query"], rule["metricsQuery"], rule["seriesQuery"]]


@pytest.mark.django_db
@pytest.mark.parametrize("query", queries())
def test_what_the_examples_ask_for_is_there_with_its_labels(query: str) -> None:
    told = {metric.name: metric.samples for metric in rows_registry.collect()}
    asked = re.findall(r"yellowbook_\w+", query)
    assert asked
    for name in asked:
        assert told[name]
        assert all("kind" in sample.labels for sample in told[name])


def test_both_ways_of_autoscaling_say_the_same() -> None:
    keda, hpa = (manifests()[kind]["spec"] for kind in ("ScaledObject", "HorizontalPodAutoscaler"))
    (trigger,), (metric,) = keda["triggers"], hpa["metrics"]
    (rule,) = manifests()["externalRules"]["externalRules"]
    assert metric["external"]["metric"]["name"] == rule["name"]["as"]
    assert trigger["metadata"]["query"] == rule["metricsQuery"]
    assert (trigger["metricType"], trigger["metadata"]["threshold"]) == (
        metric["external"]["target"]["type"],
        metric["external"]["target"]["value"],
    )
    assert (keda["minReplicaCount"], keda["maxReplicaCount"]) == (hpa["minReplicas"], hpa["maxReplicas"])
    assert keda["advanced"]["horizontalPodAutoscalerConfig"]["behavior"] == hpa["behavior"]
    assert keda["scaleTargetRef"]["name"] == hpa["scaleTargetRef"]["name"]
    assert keda["minReplicaCount"] >= 1


@pytest.mark.django_db
def test_jobs_that_go_for_their_age_are_in_the_archive_until_their_year_is_dropped(settings: Any) -> None:
    settings.RETENTION_JOBS_DAYS = 30
    (archive,) = blocks("sql")
    kind = get_kind(PRUNE)
    put(kind, "of 2026", "succeeded", finished_at=datetime(2026, 1, 5, tzinfo=UTC))
    put(kind, "of another year", "cancelled", finished_at=datetime(2020, 1, 5, tzinfo=UTC))
    put(kind, "young", "succeeded", finished_at=timezone.now())
    waiting = put(kind, "never ended", "queued")
    with connection.cursor() as cursor:
        cursor.execute(archive)

        prune()
        waiting.delete()

        assert JobExecution.objects.get(kind=PRUNE).subject == "young"
        cursor.execute("SELECT tableoid::regclass::text, subject, status FROM jobs_archive ORDER BY 1")
        assert cursor.fetchall() == [
            ("jobs_archive_2026", "of 2026", "succeeded"),
            ("jobs_archive_rest", "of another year", "cancelled"),
        ]
        cursor.execute("DROP TABLE jobs_archive_2026")
        cursor.execute("SELECT subject FROM jobs_archive")
        assert cursor.fetchall() == [("of another year",)]


@pytest.mark.parametrize("text", [PAGE, README])
def test_what_is_named_is_there(text: str) -> None:
    headings = {line.strip().lower().replace(" ", "-") for line in re.findall(r"^## (.+)$", PAGE, re.MULTILINE)}
    anchors = re.findall(r"scaling\.md#([\w-]+)", text)
    assert [each for each in anchors if each not in headings] == []
    named = re.findall(r"`((?:yellowbook|tests)/[\w/.]+)`", text)
    assert named
    assert [each for each in named if not (ROOT / each).exists()] == []
