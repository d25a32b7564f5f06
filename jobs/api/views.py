"""`/api/admin/jobs`, `/workers`, `/lanes`: watching and steering jobs."""

from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import generics, mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs import lanes as lane_services
from jobs import lifecycle, selectors, workers
from jobs.actor import Actor
from jobs.api.filters import FilterBackend, OneOrder, job_filter
from jobs.api.serializers import (
    JobDetailSerializer,
    JobSerializer,
    LaneSerializer,
    PauseSerializer,
    WorkerSerializer,
)
from jobs.kinds import get_kind
from jobs.models import JobExecution, WorkerProcess
from jobs.states import Source
from jobs.wake import wake


def actor_of(request: Request) -> Actor:
    """Return who makes the request."""
    return Actor(request.user.get_username() or "anonymous", Source.API)


@extend_schema_view(
    list=extend_schema(summary="List jobs, newest first"),
    retrieve=extend_schema(summary="Show a job with its steps and failed attempts"),
)
class JobViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[JobExecution]):
    """Jobs: list, show, cancel, retry."""

    permission_classes = [IsAdminUser]
    throttle_scope = "staff"
    lookup_url_kwarg = "job_id"
    lookup_value_converter = "uuid"
    queryset = JobExecution.objects.all()
    serializer_class = JobDetailSerializer
    filter_backends = [FilterBackend, OneOrder]
    ordering_fields = ["created_at", "finished_at"]
    ordering = "-created_at"

    @property
    def filterset_class(self) -> type:
        """Return the filters: kinds are known only once every app is ready."""
        return job_filter()

    def get_queryset(self) -> QuerySet[JobExecution]:
        """Return jobs with the progress of the batches that run."""
        jobs = selectors.with_progress(JobExecution.objects.all())
        return jobs if self.action == "list" else jobs.prefetch_related("attempts")

    def get_serializer_class(self) -> type[serializers.BaseSerializer[JobExecution]]:
        """Lists leave the attempts out."""
        return JobSerializer if self.action == "list" else JobDetailSerializer

    @extend_schema(
        summary="Cancel a waiting job",
        request=None,
        responses={200: JobDetailSerializer, 409: OpenApiResponse(description="The job does not wait.")},
    )
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, job_id: UUID) -> Response:
        """Call off a queued or retrying job."""
        job = self.get_object()
        lifecycle.cancel(job.id, by=request.user.get_username())
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(
        summary="Retry a dead job",
        request=None,
        responses={200: JobDetailSerializer, 409: OpenApiResponse(description="The job is not dead.")},
    )
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, job_id: UUID) -> Response:
        """Make a dead job wait again, with a fresh attempt counter."""
        job = self.get_object()
        lifecycle.retry(job.id, actor=actor_of(request))
        wake(job.kind)
        return Response(self.get_serializer(self.get_object()).data)


@extend_schema(summary="List worker processes, the latest heartbeat first")
class WorkerListView(generics.ListAPIView[WorkerProcess]):
    """Worker processes, alive and gone."""

    permission_classes = [IsAdminUser]
    throttle_scope = "staff"
    queryset = WorkerProcess.objects.all()
    serializer_class = WorkerSerializer
    ordering = "-last_heartbeat_at"
    filterset_fields = ["state", "host"]

    def get_queryset(self) -> QuerySet[WorkerProcess]:
        """Return them with what they do now."""
        return workers.described()


class LaneListView(APIView):
    """All lanes."""

    permission_classes = [IsAdminUser]
    throttle_scope = "staff"

    @extend_schema(summary="List lanes with what waits and runs", responses=LaneSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Return every lane."""
        return Response([LaneSerializer(lane).data for lane in selectors.lanes()])


class LaneView(APIView):
    """One lane."""

    permission_classes = [IsAdminUser]
    throttle_scope = "staff"

    def _shown(self, kind: str) -> Response:
        return Response(LaneSerializer(next(lane for lane in selectors.lanes() if lane["kind"] == kind)).data)


class PauseLaneView(LaneView):
    """Pausing a lane."""

    @extend_schema(summary="Pause a lane", request=PauseSerializer, responses=LaneSerializer)
    def post(self, request: Request, kind: str) -> Response:
        """Claim nothing more of the lane until it is resumed, or until a time."""
        get_kind(kind)
        given = PauseSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        lane_services.pause(kind, actor=actor_of(request), **given.validated_data)
        return self._shown(kind)


class ResumeLaneView(LaneView):
    """Resuming a lane."""

    @extend_schema(summary="Resume a lane", request=None, responses=LaneSerializer)
    def post(self, request: Request, kind: str) -> Response:
        """Let the lane's jobs be claimed again."""
        lane_services.resume(kind)
        return self._shown(kind)
