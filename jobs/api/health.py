"""`/health/live`, `/health/ready`, `/metrics`: for load balancers and monitoring, without authentication."""

import os

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from jobs import health
from jobs.metrics import rows_registry


@require_safe
def live(request: HttpRequest) -> JsonResponse:
    """200 as long as this process answers."""
    return JsonResponse({"status": "ok"})


@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """200 when saves and reads work, 503 when they can't; `degraded` names what is away but not needed for them."""
    found = health.check()
    body = {"status": found.status, "checks": found.parts, "failed": found.failed, "degraded": found.degraded}
    return JsonResponse(body, status=503 if found.failed else 200)


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Everything in the Prometheus text format: what the rows say, and what the web processes of this host counted."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        processes = CollectorRegistry()
        MultiProcessCollector(processes)  # type: ignore[no-untyped-call]
    else:
        processes = REGISTRY
    return HttpResponse(generate_latest(rows_registry) + generate_latest(processes), content_type=CONTENT_TYPE_LATEST)
