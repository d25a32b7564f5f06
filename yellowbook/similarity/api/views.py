"""`/api/yellow-books/{id}/similar`: similar businesses over HTTP."""

from django.conf import settings
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.api.permissions import IsStaffOrReadOnly
from yellowbook.directory.api.views import ThrottledByMethod, as_uuid
from yellowbook.directory.selectors import visible_to
from yellowbook.similarity.api.serializers import SimilarOnesSerializer, SimilarQuerySerializer
from yellowbook.similarity.selectors import similar_to


class SimilarView(ThrottledByMethod):
    """The businesses similar to one."""

    permission_classes = [IsStaffOrReadOnly]

    @extend_schema(
        summary="Show similar businesses",
        description="Everybody may ask for published businesses, staff for any; the similar ones are published.",
        parameters=[OpenApiParameter("id", OpenApiTypes.UUID, OpenApiParameter.PATH), SimilarQuerySerializer],
        responses=SimilarOnesSerializer,
        auth=[],
    )
    def get(self, request: Request, id: str) -> Response:
        """Show what was computed."""
        # An empty value counts as not given, as in all queries.
        asked = SimilarQuerySerializer(data={name: value for name, value in request.query_params.items() if value})
        asked.is_valid(raise_exception=True)
        business = get_object_or_404(visible_to(request.user).only("pk"), pk=as_uuid(id))
        limit = asked.validated_data.get("limit", settings.SIMILAR_LIMIT)
        return Response(SimilarOnesSerializer(similar_to(business.pk, limit=limit)).data)
