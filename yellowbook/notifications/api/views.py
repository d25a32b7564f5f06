"""`/api/admin/notifications`: what owners were told, and telling them again."""

from typing import TYPE_CHECKING
from uuid import UUID

import django_filters
from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import generics, status
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs.api.filters import MomentFilter
from jobs.api.views import actor_of
from yellowbook.notifications.api.serializers import DeliveryDetailSerializer, DeliverySerializer
from yellowbook.notifications.models import Delivery
from yellowbook.notifications.services import replay

if TYPE_CHECKING:
    from django.db.models import QuerySet


class MayReplay(IsAdminUser):
    """Staff with the permission to send deliveries again."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Tell whether the request may go on."""
        return super().has_permission(request, view) and request.user.has_perm("notifications.replay_delivery")


class DeliveryFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Filters of deliveries."""

    event = django_filters.CharFilter()
    channel = django_filters.ChoiceFilter(choices=Delivery.Channel.choices)
    state = django_filters.ChoiceFilter(choices=Delivery.State.choices)
    owner = django_filters.CharFilter()
    since = MomentFilter(field_name="created_at", lookup_expr="gte")

    class Meta:
        model = Delivery
        fields: list[str] = []


def delivery_of(id: UUID) -> Delivery:
    """Return a delivery with its attempts; 404 when there is none."""
    deliveries: QuerySet[Delivery] = Delivery.objects.prefetch_related("log")
    return get_object_or_404(deliveries, pk=id)


class DeliveriesView(generics.ListAPIView[Delivery]):
    """All deliveries."""

    permission_classes = [IsAdminUser]
    throttle_scope = "staff"
    queryset = Delivery.objects.defer("payload", "subject", "body")
    serializer_class = DeliverySerializer
    filterset_class = DeliveryFilter
    ordering = "-created_at"

    @extend_schema(summary="List deliveries of notifications, newest first")
    def get(self, request: Request, *args: object, **kwargs: object) -> Response:
        """Return a page."""
        return self.list(request, *args, **kwargs)


class DeliveryView(APIView):
    """One delivery."""

    permission_classes = [IsAdminUser]
    throttle_scope = "staff"

    @extend_schema(
        summary="Show a delivery with its message and every attempt",
        operation_id="admin_notifications_show",
        responses=DeliveryDetailSerializer,
    )
    def get(self, request: Request, id: UUID) -> Response:
        """Return it."""
        return Response(DeliveryDetailSerializer(delivery_of(id)).data)


class ReplayDeliveryView(APIView):
    """Sending a delivery again."""

    permission_classes = [MayReplay]
    throttle_scope = "staff"

    @extend_schema(
        summary="Send a delivery again",
        description="Makes a new delivery, whose `repeats` names this one. Takes the permission to replay deliveries.",
        request=None,
        responses={202: DeliveryDetailSerializer},
    )
    def post(self, request: Request, id: UUID) -> Response:
        """Make the new delivery: 202 with it, and its address as `Location`."""
        again = replay(delivery_of(id), actor=actor_of(request))
        shown = DeliveryDetailSerializer(delivery_of(again.pk)).data
        return Response(shown, status.HTTP_202_ACCEPTED, headers={"Location": reverse("notification", args=[again.pk])})
