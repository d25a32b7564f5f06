"""`/api/yellow-books`: businesses over HTTP. Views translate; the rules are in `services`."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import generics, status
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs.actor import acting_as
from jobs.api.fields import read_uuid
from jobs.api.filters import FilterBackend, OneOrder
from jobs.api.idempotency import idempotent
from jobs.api.permissions import IsStaffOrReadOnly
from jobs.states import Source
from yellowbook.directory import selectors, services
from yellowbook.directory.api.filters import BusinessFilter
from yellowbook.directory.api.serializers import BusinessSerializer, SavedBusinessSerializer, ShownBusinessSerializer
from yellowbook.directory.models import Business

NO_SUCH_BUSINESS = "There is no such business."


@contextmanager
def writing(request: Request) -> Iterator[None]:
    """Attribute the jobs made inside to the caller; answer 400 by field, or 404, for what the services refuse."""
    with acting_as(request.user.get_username(), Source.API):
        try:
            yield
        except DjangoValidationError as error:
            raise ValidationError(error.message_dict) from error
        except Business.DoesNotExist as error:
            raise NotFound(NO_SUCH_BUSINESS) from error


def as_uuid(text: str) -> UUID:
    """Return the id in a path; what is none names no business: 404."""
    try:
        return read_uuid(text)
    except ValueError:
        raise NotFound(NO_SUCH_BUSINESS) from None


class ThrottledByMethod(APIView):
    """Counts reads and writes apart."""

    @property
    def throttle_scope(self) -> str:
        """Return the scope of the request at hand."""
        return "public" if self.request.method in SAFE_METHODS else "writes"


@extend_schema_view(
    get=extend_schema(
        summary="List businesses by name",
        description="Everybody sees published businesses, staff all of them.",
        auth=[],
    )
)
class BusinessesView(ThrottledByMethod, generics.ListAPIView[Business]):
    """All businesses."""

    permission_classes = [IsStaffOrReadOnly]
    serializer_class = BusinessSerializer
    filter_backends = [FilterBackend, OneOrder]
    filterset_class = BusinessFilter
    ordering_fields = ["name", "created_at", "updated_at"]
    ordering = ["name"]

    def get_queryset(self) -> QuerySet[Business]:
        """Return what the caller may see."""
        return selectors.visible_to(self.request.user)

    @extend_schema(
        summary="Add a business",
        description="Answers as soon as it is saved; `embedding_job` embeds its text in the background.",
        request=BusinessSerializer,
        responses={201: SavedBusinessSerializer},
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Add a business."""
        given = BusinessSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        with writing(request):
            business = services.create_business(given.validated_data)
        location = reverse("business", args=[business.pk])
        return Response(SavedBusinessSerializer(business).data, status.HTTP_201_CREATED, headers={"Location": location})


@extend_schema(parameters=[OpenApiParameter("id", OpenApiTypes.UUID, OpenApiParameter.PATH)])
class BusinessView(ThrottledByMethod):
    """One business."""

    permission_classes = [IsStaffOrReadOnly]

    @extend_schema(summary="Show a business", responses=ShownBusinessSerializer, auth=[])
    def get(self, request: Request, id: str) -> Response:
        """Show a business."""
        business = get_object_or_404(selectors.visible_to(request.user), pk=as_uuid(id))
        return Response(ShownBusinessSerializer(business).data)

    @extend_schema(
        summary="Change fields of a business",
        description="Writes the given fields only. `embedding_job` is null when the embedded text stays as it was.",
        request=BusinessSerializer(partial=True),
        responses=SavedBusinessSerializer,
    )
    def patch(self, request: Request, id: str) -> Response:
        """Change some fields."""
        return self._update(request, as_uuid(id), partial=True)

    @extend_schema(
        summary="Write a business anew",
        description="Name, category and address are required; optional fields that are not given stay as they are.",
        request=BusinessSerializer,
        responses=SavedBusinessSerializer,
    )
    def put(self, request: Request, id: str) -> Response:
        """Change the whole."""
        return self._update(request, as_uuid(id), partial=False)

    @extend_schema(summary="Delete a business, its vectors and waiting jobs", responses={204: None})
    def delete(self, request: Request, id: str) -> Response:
        """Delete a business."""
        with writing(request):
            services.delete_business(as_uuid(id))
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _update(self, request: Request, business_id: UUID, *, partial: bool) -> Response:
        given = BusinessSerializer(data=request.data, partial=partial)
        given.is_valid(raise_exception=True)
        with writing(request):
            business = services.update_business(business_id, given.validated_data)
        return Response(SavedBusinessSerializer(business).data)
