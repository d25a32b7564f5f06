"""`/api/admin/runs`: bulk operations, how far they have come, stop and resume."""

from typing import Any
from uuid import UUID

from django.urls import reverse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import generics, serializers, status
from rest_framework.exceptions import NotFound
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs import runs
from jobs.api.errors import envelope
from jobs.models import Run
from jobs.runs import RunActive
from jobs.runs.forecast import forecast
from jobs.runs.progress import Progress, failures_by_class, last_errors, last_processed, progress_of, progress_of_many


class RunSerializer(serializers.Serializer[dict[str, Any]]):
    """A run and its counts: `processed` = `succeeded` + `failed` + `cancelled` + `skipped`."""

    run_id = serializers.UUIDField()
    kind = serializers.CharField()
    state = serializers.ChoiceField(choices=Run.State.choices)
    is_running = serializers.BooleanField()
    options = serializers.DictField(child=serializers.JSONField(), help_text="What it was started with.")
    requested_by = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]
    total = serializers.IntegerField()
    processed = serializers.IntegerField()
    succeeded = serializers.IntegerField()
    failed = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    cached = serializers.IntegerField()
    cancelled = serializers.IntegerField()
    skipped = serializers.IntegerField(help_text="Subjects whose waiting job belongs to another run.")
    results = serializers.DictField(child=serializers.IntegerField(), help_text="Succeeded jobs by result.")
    progress_percentage = serializers.FloatField()
    rate = serializers.FloatField(allow_null=True, help_text="Subjects a second, lately.")
    elapsed_seconds = serializers.FloatField()
    started_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    error = serializers.CharField(help_text="Why no more jobs could be made.")


class RunFailureSerializer(serializers.Serializer[dict[str, Any]]):
    """The dead jobs of a run of one failure class."""

    error_class = serializers.CharField()
    count = serializers.IntegerField()
    last_error = serializers.CharField()
    last_at = serializers.DateTimeField()


class RunErrorSerializer(serializers.Serializer[dict[str, Any]]):
    """A failed attempt."""

    job_id = serializers.UUIDField()
    subject = serializers.CharField()
    error_class = serializers.CharField()
    error = serializers.CharField()
    at = serializers.DateTimeField()


class RunDetailSerializer(RunSerializer):
    """A run with what takes a look at its jobs."""

    eta_seconds = serializers.FloatField(allow_null=True)
    forecast = serializers.CharField(help_text="When it will be done, in words.")
    last_processed_id = serializers.CharField(allow_null=True, help_text="It and everything before it is done.")
    failures = RunFailureSerializer(many=True)
    errors = RunErrorSerializer(  # type: ignore[assignment]
        many=True, help_text="The last 100 failed attempts, the newest first."
    )


def told(progress: Progress) -> dict[str, Any]:
    """Return a run as `RunSerializer` shows it."""
    run = progress.run
    return {
        "run_id": run.id,
        "kind": run.kind,
        "state": run.state,
        "is_running": run.finished_at is None,
        "options": run.options,
        "requested_by": run.requested_by,
        "source": run.source,
        "total": run.total,
        "processed": progress.processed,
        "succeeded": progress.succeeded,
        "failed": progress.failed,
        "unchanged": progress.results.get("unchanged", 0),
        "cached": progress.results.get("cached", 0),
        "cancelled": progress.cancelled,
        "skipped": progress.skipped,
        "results": progress.results,
        "progress_percentage": progress.percentage,
        "rate": progress.rate,
        "elapsed_seconds": round(progress.elapsed_seconds, 3),
        "started_at": run.created_at,
        "finished_at": run.finished_at,
        "error": run.error,
    }


def told_in_full(run: Run) -> dict[str, Any]:
    """Return a run as `RunDetailSerializer` shows it."""
    progress = progress_of(run)
    expected = forecast(progress)
    return {
        **told(progress),
        "eta_seconds": None if expected.seconds is None else round(expected.seconds, 1),
        "forecast": expected.sentence,
        "last_processed_id": last_processed(run),
        "failures": failures_by_class(run),
        "errors": last_errors(run),
    }


def run_of(run_id: UUID) -> Run:
    """Return a run; `NotFound` when there is none."""
    run = Run.objects.filter(id=run_id).first()
    if run is None:
        raise NotFound("There is no such run.")
    return run


def url_of(run: Run) -> str:
    """Return where the API shows a run."""
    return reverse("run", args=[run.id])


def refused(error: RunActive) -> Response:
    """Return the 409 for a run that can't begin beside the one under way: it names that one."""
    url = url_of(error.run)
    fields = {"run_id": [str(error.run.id)], "url": [url]}
    return Response(envelope("conflict", str(error), fields), status.HTTP_409_CONFLICT, headers={"Location": url})


class RunListView(generics.ListAPIView[Run]):
    """Runs."""

    permission_classes = [IsAdminUser]
    throttle_scope = "staff"
    queryset = Run.objects.all()
    serializer_class = RunSerializer  # type: ignore[assignment]
    ordering = "-created_at"
    filterset_fields = ["kind", "state", "fed"]

    @extend_schema(summary="List runs, newest first")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return a page of runs with their counts."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        rows = [RunSerializer(told(progress)).data for progress in progress_of_many(list(page or []))]
        return self.get_paginated_response(rows)


class RunView(APIView):
    """One run."""

    permission_classes = [IsAdminUser]
    throttle_scope = "staff"

    @extend_schema(summary="Show a run: counts, rate, forecast, errors", responses=RunDetailSerializer)
    def get(self, request: Request, run_id: UUID) -> Response:
        """Return it."""
        return Response(RunDetailSerializer(told_in_full(run_of(run_id))).data)


class StopRunView(APIView):
    """Stopping a run."""

    permission_classes = [IsAdminUser]
    throttle_scope = "staff"

    @extend_schema(
        summary="Stop a run",
        description="Makes no more jobs and calls off those that wait; what was sent comes to its end.",
        request=None,
        responses={200: RunDetailSerializer, 409: OpenApiResponse(description="It is not running.")},
    )
    def post(self, request: Request, run_id: UUID) -> Response:
        """Stop it; 409 for one that is not running."""
        runs.stop(run_of(run_id).id)
        return Response(RunDetailSerializer(told_in_full(run_of(run_id))).data)


class ResumeRunView(APIView):
    """Resuming a run."""

    permission_classes = [IsAdminUser]
    throttle_scope = "staff"

    @extend_schema(
        summary="Resume a run that was stopped, or failed",
        description="Goes on where it was; jobs that were called off with it are made again.",
        request=None,
        responses={
            200: RunDetailSerializer,
            409: OpenApiResponse(description="It was neither stopped nor failed, or another one is under way."),
        },
    )
    def post(self, request: Request, run_id: UUID) -> Response:
        """Resume it; 409 for one in another state, or when another one of its kind is under way."""
        try:
            runs.resume(run_of(run_id).id)
        except RunActive as error:
            return refused(error)
        return Response(RunDetailSerializer(told_in_full(run_of(run_id))).data)
