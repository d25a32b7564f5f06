"""`/api/taste-profile/opinions`: which businesses the caller likes, and which not. There is one opinion of each."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import generics, status
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.api.exceptions import Conflict
from yellowbook.callers import caller
from yellowbook.directory.api.views import as_uuid, writing
from yellowbook.recommendations import services
from yellowbook.recommendations.api.serializers import LikedSerializer, OpinionSerializer
from yellowbook.recommendations.api.views import Personal
from yellowbook.recommendations.models import Opinion


@extend_schema_view(get=extend_schema(summary="List one's opinions, newest first"))
class OpinionsView(Personal, generics.ListAPIView[Opinion]):
    """All opinions."""

    queryset = Opinion.objects.all()
    serializer_class = OpinionSerializer
    ordering = "-created_at"

    def get_queryset(self) -> QuerySet[Opinion]:
        """Return the caller's own."""
        return super().get_queryset().filter(profile__user=caller(self.request))


@extend_schema(parameters=[OpenApiParameter("id", OpenApiTypes.UUID, OpenApiParameter.PATH)])
class OpinionView(Personal):
    """The opinion of one business."""

    @extend_schema(
        summary="Like or dislike a business",
        description="Recommendations follow at once. It can be done before the questionnaire is completed.",
        request=LikedSerializer,
        responses={
            200: OpinionSerializer,
            201: OpinionSerializer,
            409: OpenApiResponse(description=f"There are {services.MOST_OPINIONS} opinions already."),
        },
    )
    def put(self, request: Request, id: str) -> Response:
        """Note it."""
        given = LikedSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        liked: Any = given.validated_data["liked"]
        with writing(request):
            try:
                opinion, created = services.give_opinion(caller(request), as_uuid(id), liked=liked)
            except services.TooManyOpinions:
                told = f"There are {services.MOST_OPINIONS} opinions already: withdraw one first."
                raise Conflict(told) from None
        code = status.HTTP_201_CREATED if created else status.HTTP_200_OK
        return Response(OpinionSerializer(opinion).data, code)

    @extend_schema(summary="Withdraw the opinion of a business", responses={204: None})
    def delete(self, request: Request, id: str) -> Response:
        """Forget it."""
        try:
            services.withdraw_opinion(caller(request), as_uuid(id))
        except Opinion.DoesNotExist:
            raise NotFound("You have no opinion of this business.") from None
        return Response(status=status.HTTP_204_NO_CONTENT)
