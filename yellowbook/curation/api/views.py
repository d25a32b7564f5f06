"""`/api/collections`: what surfaces show, and having it made anew."""

from typing import ClassVar
from uuid import UUID

import django_filters
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics, status
from rest_framework.permissions import AllowAny, IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs.api.views import actor_of
from yellowbook.curation import services
from yellowbook.curation.api.serializers import (
    CollectionSetSerializer,
    RegenerateSerializer,
    RegenerationSerializer,
    ShownCollectionSetSerializer,
    ShownSetSerializer,
    SurfaceQuerySerializer,
)
from yellowbook.curation.days import today
from yellowbook.curation.models import CollectionSet
from yellowbook.curation.selectors import collections_of, current_sets
from yellowbook.curation.surfaces import SURFACES


class CollectionSetFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Filters of sets."""

    surface = django_filters.ChoiceFilter(choices=[(name, name) for name in SURFACES])
    date = django_filters.DateFilter(input_formats=["%Y-%m-%d"], help_text="A day, as 2026-01-31.")

    class Meta:
        model = CollectionSet
        fields: ClassVar = ["surface", "date"]


class CollectionsView(APIView):
    """What a surface shows."""

    permission_classes = [AllowAny]
    throttle_scope = "public"

    @extend_schema(
        summary="Show the collections of a surface",
        description="Today's, or yesterday's until those are made. Only published businesses are in them.",
        parameters=[SurfaceQuerySerializer],
        responses=ShownSetSerializer,
        auth=[],
    )
    def get(self, request: Request) -> Response:
        """Show them."""
        # An empty value counts as not given, as in all queries.
        asked = SurfaceQuerySerializer(data={name: value for name, value in request.query_params.items() if value})
        asked.is_valid(raise_exception=True)
        surface = asked.validated_data["surface"]
        found = current_sets(surface).first()
        shown = {
            "surface": surface,
            "date": found and found.date,
            "is_todays": found is not None and found.date == today(),
            "made_at": found and found.made_at,
            "collections": collections_of(CollectionSet.objects.filter(pk=found.pk)) if found else [],
        }
        return Response(ShownSetSerializer(shown).data)


class RegenerateView(APIView):
    """Having a set made."""

    permission_classes = [IsAdminUser]
    throttle_scope = "writes"

    @extend_schema(
        summary="Have the collections of a surface and day made anew",
        description="The present ones show until the new ones do. A request under way is overtaken by a later one.",
        request=RegenerateSerializer,
        responses={202: RegenerationSerializer},
    )
    def post(self, request: Request) -> Response:
        """Make the job: 202 with the set and the job, and the set's address as `Location`."""
        given = RegenerateSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        made = services.regenerate(**given.asked(), actor=actor_of(request))
        address = reverse("collection-set", args=[made.collection_set.pk])
        return Response(RegenerationSerializer(made).data, status.HTTP_202_ACCEPTED, headers={"Location": address})


@extend_schema_view(get=extend_schema(summary="List the sets of all surfaces, the newest day first"))
class CollectionSetsView(generics.ListAPIView[CollectionSet]):
    """All sets."""

    permission_classes = [IsAdminUser]
    throttle_scope = "staff"
    queryset: QuerySet[CollectionSet] = CollectionSet.objects.all()
    serializer_class = CollectionSetSerializer
    filterset_class = CollectionSetFilter
    ordering = "-date"


class CollectionSetView(APIView):
    """One set."""

    permission_classes = [IsAdminUser]
    throttle_scope = "staff"

    @extend_schema(
        summary="Show a set with its collections, and where it stands",
        operation_id="collections_sets_show",
        responses=ShownCollectionSetSerializer,
    )
    def get(self, request: Request, id: UUID) -> Response:
        """Return it."""
        return Response(ShownCollectionSetSerializer(get_object_or_404(CollectionSet, pk=id)).data)
