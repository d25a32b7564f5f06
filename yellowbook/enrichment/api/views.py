"""`/api/yellow-books/{id}/enrichment` and `.../process`: what is known of a business, and having it processed."""

from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs.api.exceptions import Conflict
from jobs.api.permissions import IsStaffOrReadOnly
from yellowbook.directory.api.views import ThrottledByMethod, as_uuid, writing
from yellowbook.directory.models import Business
from yellowbook.directory.selectors import visible_to
from yellowbook.enrichment import services
from yellowbook.enrichment.api.serializers import (
    EditorTagsSerializer,
    KnownSerializer,
    ProcessedSerializer,
    ProcessRequestSerializer,
)
from yellowbook.enrichment.selectors import known, standing_of

_ID = OpenApiParameter("id", OpenApiTypes.UUID, OpenApiParameter.PATH)


class EnrichmentView(ThrottledByMethod):
    """What is known of one business."""

    permission_classes = [IsStaffOrReadOnly]

    @extend_schema(
        summary="Show tags, summary and opening hours of a business",
        description="Everybody may ask for published businesses, staff for any. An editor's tags always stand.",
        parameters=[_ID],
        responses=KnownSerializer,
        auth=[],
    )
    def get(self, request: Request, id: str) -> Response:
        """Show it."""
        return self._shown(get_object_or_404(visible_to(request.user), pk=as_uuid(id)))

    @extend_schema(
        summary="Set the tags of a business",
        description="They stand whatever is made, until `tags` is set to null.",
        parameters=[_ID],
        request=EditorTagsSerializer,
        responses=KnownSerializer,
    )
    def put(self, request: Request, id: str) -> Response:
        """Set an editor's tags, or take them back."""
        given = EditorTagsSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        business_id = as_uuid(id)
        with writing(request):
            tags = given.validated_data["tags"]
            services.set_editor_tags(business_id, tags, edited_by=request.user.get_username())
            business = Business.objects.get(pk=business_id)
        return self._shown(business)

    def _shown(self, business: Business) -> Response:
        return Response(KnownSerializer((business, known(business.pk), standing_of(business))).data)


class ProcessView(APIView):
    """Having a business embedded and enriched."""

    permission_classes = [IsAdminUser]
    throttle_scope = "writes"

    @extend_schema(
        summary="Embed and enrich a business",
        description="Makes a job for each, or joins the one that waits. Each can be asked for alone.",
        parameters=[_ID],
        request=ProcessRequestSerializer,
        responses={
            202: ProcessedSerializer,
            409: OpenApiResponse(description="The business is not published, or enrichment is switched off."),
        },
    )
    def post(self, request: Request, id: str) -> Response:
        """Make the jobs."""
        given = ProcessRequestSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        with writing(request):
            business = Business.objects.only("pk").get(pk=as_uuid(id))
            try:
                made = services.enqueue_business_processing(
                    business, triggered_by=request.user.get_username(), **given.validated_data
                )
            except services.NotPossible as error:
                raise Conflict(str(error)) from error
        return Response(ProcessedSerializer(made).data, status.HTTP_202_ACCEPTED)
