"""`/api/admin/bulk-actions`: what is done to many rows in the background, how far it has come, stop."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.urls import reverse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import generics, serializers
from rest_framework.exceptions import NotFound
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs import clock
from jobs.bulk.progress import progress_of
from jobs.bulk.steer import stop
from jobs.models import BulkAction


class BulkActionSerializer(serializers.Serializer[dict[str, Any]]):
    """A bulk action and its counts: `processed` = `done` + `skipped`."""

    bulk_action_id = serializers.UUIDField()
    action = serializers.CharField()
    state = serializers.ChoiceField(choices=BulkAction.State.choices)
    is_under_way = serializers.BooleanField()
    requested_by = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]
    note = serializers.CharField()
    per_second = serializers.IntegerField(allow_null=True, help_text="The most rows that are changed in any second.")
    total = serializers.IntegerField(help_text="Rows that matched when it was asked for.")
    processed = serializers.IntegerField()
    done = serializers.IntegerField()
    skipped = serializers.IntegerField()
    left = serializers.IntegerField()
    reasons = serializers.DictField(child=serializers.IntegerField(), help_text="Why rows were skipped.")
    progress_percentage = serializers.FloatField()
    rate = serializers.FloatField(allow_null=True, help_text="Rows a second.")
    elapsed_seconds = serializers.FloatField()
    eta_seconds = serializers.FloatField(allow_null=True)
    error = serializers.CharField(help_text="Why it could not go on.")
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)


class BulkActionDetailSerializer(BulkActionSerializer):
    """A bulk action with what chose its rows."""

    criteria = serializers.DictField(child=serializers.JSONField())


#: What a row says itself, under the same names.
_OWN = (
    *("action", "state", "is_under_way", "requested_by", "source", "note", "per_second", "total", "done", "skipped"),
    *("reasons", "error", "created_at", "started_at", "finished_at"),
)


def told(bulk: BulkAction, now: datetime) -> dict[str, Any]:
    """Return a bulk action as `BulkActionSerializer` shows it."""
    progress = progress_of(bulk, now)
    return {
        **{name: getattr(bulk, name) for name in _OWN},
        "bulk_action_id": bulk.id,
        "processed": progress.processed,
        "left": progress.left,
        "progress_percentage": progress.percentage,
        "rate": progress.rate,
        "elapsed_seconds": round(progress.elapsed_seconds, 3),
        "eta_seconds": progress.eta_seconds,
    }


def told_in_full(bulk: BulkAction) -> dict[str, Any]:
    """Return a bulk action as `BulkActionDetailSerializer` shows it."""
    return {**told(bulk, clock.now()), "criteria": bulk.criteria}


def url_of(bulk: BulkAction) -> str:
    """Return where the API shows a bulk action."""
    return reverse("bulk-action", args=[bulk.id])


def bulk_of(bulk_action_id: UUID) -> BulkAction:
    """Return a bulk action; `NotFound` when there is none."""
    bulk = BulkAction.objects.filter(id=bulk_action_id).first()
    if bulk is None:
        raise NotFound("There is no such bulk action.")
    return bulk


class BulkActionListView(generics.ListAPIView[BulkAction]):
    """Bulk actions."""

    permission_classes = [IsAdminUser]
    throttle_scope = "staff"
    queryset = BulkAction.objects.all()
    serializer_class = BulkActionSerializer  # type: ignore[assignment]
    ordering = "-created_at"
    filterset_fields = ["action", "state"]

    @extend_schema(summary="List bulk actions, newest first")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return a page of bulk actions with their counts."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset().defer("criteria")))
        now = clock.now()
        return self.get_paginated_response([BulkActionSerializer(told(bulk, now)).data for bulk in page or []])


class BulkActionView(APIView):
    """One bulk action."""

    permission_classes = [IsAdminUser]
    throttle_scope = "staff"

    @extend_schema(
        summary="Show a bulk action: counts, rate, what chose its rows", responses=BulkActionDetailSerializer
    )
    def get(self, request: Request, bulk_action_id: UUID) -> Response:
        """Return it."""
        return Response(BulkActionDetailSerializer(told_in_full(bulk_of(bulk_action_id))).data)


class StopBulkActionView(APIView):
    """Stopping a bulk action."""

    permission_classes = [IsAdminUser]
    throttle_scope = "staff"

    @extend_schema(
        summary="Stop a bulk action",
        description="Begins no further batch; what is done stays done.",
        request=None,
        responses={200: BulkActionDetailSerializer, 409: OpenApiResponse(description="It is not under way.")},
    )
    def post(self, request: Request, bulk_action_id: UUID) -> Response:
        """Stop it; 409 for one that is not under way."""
        bulk = stop(bulk_of(bulk_action_id).id, by=request.user.get_username())
        return Response(BulkActionDetailSerializer(told_in_full(bulk)).data)
