"""`/api/reminders/push-...`: the key that browsers subscribe with, and the browsers that did."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import generics, mixins
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from jobs.api.exceptions import Conflict
from yellowbook.callers import caller
from yellowbook.reminders import services
from yellowbook.reminders.api.serializers import PushKeySerializer, SubscriptionSerializer
from yellowbook.reminders.api.views import Own
from yellowbook.reminders.models import PushSubscription
from yellowbook.reminders.vapid import public_key


class PushKeyView(APIView):
    """The key."""

    permission_classes = [IsAuthenticated]
    throttle_scope = "staff"

    @extend_schema(summary="Show the key that browsers subscribe with", responses=PushKeySerializer)
    def get(self, request: Request) -> Response:
        """Return it."""
        return Response({"public_key": public_key() or None})


@extend_schema_view(get=extend_schema(summary="List one's browsers that take push messages, newest first; staff: all"))
class SubscriptionsView(Own, mixins.CreateModelMixin, generics.ListAPIView[PushSubscription]):
    """All browsers."""

    queryset = PushSubscription.objects.select_related("owner")
    serializer_class = SubscriptionSerializer
    ordering = "-created_at"

    def get_serializer_context(self) -> dict[str, Any]:
        """Tell where one may be."""
        return {**super().get_serializer_context(), "allow_private": settings.CATALOGUE_ALLOW_PRIVATE}

    @extend_schema(
        summary="Register a browser",
        request=SubscriptionSerializer,
        responses={
            201: SubscriptionSerializer,
            409: OpenApiResponse(description="Push is not set up, or the caller has too many browsers."),
        },
    )
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Register it as the caller's; one that is known already gets its new keys."""
        return self.create(request, *args, **kwargs)

    def perform_create(self, serializer: BaseSerializer[PushSubscription]) -> None:
        """Have the service do it."""
        if not settings.REMINDERS_VAPID_PRIVATE_KEY:
            raise Conflict("Push messages are not set up here.")
        try:
            serializer.instance = services.subscribe(caller(self.request), **serializer.validated_data)
        except services.TooManyBrowsers:
            raise Conflict(f"There are {services.MOST_BROWSERS} browsers already: remove one first.") from None


@extend_schema_view(delete=extend_schema(summary="Remove a browser: nothing more is sent to it"))
class SubscriptionView(Own, generics.DestroyAPIView[PushSubscription]):
    """One browser."""

    queryset = PushSubscription.objects.all()
    serializer_class = SubscriptionSerializer
