"""`/api/reminders`: occasions and their reminders. Each user sees their own, staff those of all."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics, mixins
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from jobs.api.filters import FilterSet, UUIDFilter
from yellowbook.callers import caller
from yellowbook.reminders import services
from yellowbook.reminders.api.serializers import OccasionSerializer, ScheduleSerializer
from yellowbook.reminders.models import Occasion, Schedule


class Own(generics.GenericAPIView[Any]):
    """Rows that belong to a user, by the path `owner_path` from the row."""

    permission_classes = [IsAuthenticated]
    throttle_scope = "staff"
    lookup_field = "id"
    owner_path: ClassVar[str] = "owner"

    def get_queryset(self) -> QuerySet[Any]:
        """Return what the caller may see."""
        rows = super().get_queryset()
        return rows if self.request.user.is_staff else rows.filter(**{self.owner_path: self.request.user})


@extend_schema_view(get=extend_schema(summary="List one's occasions, newest first; staff: all"))
class OccasionsView(Own, mixins.CreateModelMixin, generics.ListAPIView[Occasion]):
    """All occasions."""

    queryset = Occasion.objects.select_related("owner")
    serializer_class = OccasionSerializer
    ordering = "-created_at"
    filterset_fields = ["recurrence"]

    @extend_schema(summary="Add an occasion", request=OccasionSerializer, responses={201: OccasionSerializer})
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Store an occasion of the caller's with its reminders; nothing is sent now."""
        return self.create(request, *args, **kwargs)

    def perform_create(self, serializer: BaseSerializer[Occasion]) -> None:
        """Have the service do it."""
        occasion = Occasion(owner=caller(self.request), **serializer.validated_data)
        serializer.instance = Own.get_queryset(self).get(pk=services.save_occasion(occasion).pk)


@extend_schema_view(
    get=extend_schema(summary="Show an occasion"),
    patch=extend_schema(summary="Change an occasion; its reminders are rescheduled or cancelled"),
    delete=extend_schema(summary="Delete an occasion with its reminders"),
)
class OccasionView(Own, mixins.UpdateModelMixin, mixins.DestroyModelMixin, generics.RetrieveAPIView[Occasion]):
    """One occasion."""

    queryset = Occasion.objects.select_related("owner")
    serializer_class = OccasionSerializer

    def patch(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Change some fields."""
        return self.partial_update(request, *args, **kwargs)

    def delete(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Delete it."""
        return self.destroy(request, *args, **kwargs)

    def perform_update(self, serializer: BaseSerializer[Occasion]) -> None:
        """Have the service do it."""
        occasion: Any = serializer.instance
        for name, value in serializer.validated_data.items():
            setattr(occasion, name, value)
        services.save_occasion(occasion)

    def perform_destroy(self, instance: Occasion) -> None:
        """Have the service do it."""
        services.delete_occasion(instance)


class ScheduleFilter(FilterSet):
    """Filters of reminders."""

    occasion_id = UUIDFilter()

    class Meta:
        model = Schedule
        fields = ["occasion_id", "state", "channel"]


@extend_schema_view(get=extend_schema(summary="List one's reminders with state and reason, the last one due first"))
class SchedulesView(Own, generics.ListAPIView[Schedule]):
    """All reminders."""

    queryset = Schedule.objects.select_related("delivery")
    owner_path = "occasion__owner"
    serializer_class = ScheduleSerializer
    ordering = "-due_at"
    filterset_class = ScheduleFilter
