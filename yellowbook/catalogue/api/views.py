"""`/api/catalogue`: sellers, their catalogues, syncs and listings. Staff does all; an owner reads what is its own."""

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import generics, mixins, status
from rest_framework.permissions import SAFE_METHODS, BasePermission, IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs.actor import acting_as
from jobs.states import Source
from yellowbook.catalogue.api.filters import ListingFilter, SourceFilter, SyncFilter
from yellowbook.catalogue.api.serializers import (
    CatalogueSourceSerializer,
    JudgementSerializer,
    ListingDetailSerializer,
    ListingSerializer,
    SellerSerializer,
    SyncSerializer,
)
from yellowbook.catalogue.models import CatalogueSource, Listing, Seller, Sync
from yellowbook.catalogue.stages.review import approve, reject
from yellowbook.catalogue.syncing.begin import start_sync


class IsStaffOrOwner(BasePermission):
    """Staff does everything; other users with a token read, and find only what is theirs."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Tell whether the request may go on."""
        if not request.user.is_authenticated:
            return False
        return bool(request.user.is_staff) or request.method in SAFE_METHODS


class OwnRows(APIView):
    """Rows that belong to a seller, by the path `owner_path` from the row to the seller's owner."""

    permission_classes = [IsStaffOrOwner]
    throttle_scope = "staff"
    lookup_field = "id"
    owner_path: ClassVar[str]

    def own(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Return those of `rows` that the caller may see."""
        return rows if self.request.user.is_staff else rows.filter(**{self.owner_path: self.request.user})


class _Many(OwnRows, generics.ListAPIView[Any]):
    """A list."""

    def get_queryset(self) -> QuerySet[Any]:
        """Return what the caller may see."""
        return self.own(super().get_queryset())


class _One(OwnRows, generics.RetrieveAPIView[Any]):
    """One row."""

    def get_queryset(self) -> QuerySet[Any]:
        """Return what the caller may see."""
        return self.own(super().get_queryset())


class _Editable(mixins.UpdateModelMixin, mixins.DestroyModelMixin, _One):
    """One row that staff changes and deletes."""

    def patch(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Change some fields."""
        return self.partial_update(request, *args, **kwargs)

    def delete(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Delete it with all that belongs to it; businesses stay."""
        return self.destroy(request, *args, **kwargs)


@extend_schema_view(
    get=extend_schema(summary="List sellers, newest first"),
    post=extend_schema(summary="Add a seller", request=SellerSerializer, responses={201: SellerSerializer}),
)
class SellersView(mixins.CreateModelMixin, _Many):
    """All sellers."""

    queryset = Seller.objects.select_related("owner")
    owner_path = "owner"
    serializer_class = SellerSerializer
    ordering = "-created_at"
    filterset_fields = ["tier"]

    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Add a seller."""
        return self.create(request, *args, **kwargs)


@extend_schema_view(
    get=extend_schema(summary="Show a seller"),
    patch=extend_schema(summary="Change fields of a seller"),
    delete=extend_schema(summary="Delete a seller and its catalogues; their businesses stay"),
)
class SellerView(_Editable):
    """One seller."""

    queryset = Seller.objects.select_related("owner")
    owner_path = "owner"
    serializer_class = SellerSerializer


@extend_schema_view(
    get=extend_schema(summary="List catalogues, newest first"),
    post=extend_schema(
        summary="Register a catalogue", request=CatalogueSourceSerializer, responses={201: CatalogueSourceSerializer}
    ),
)
class SourcesView(mixins.CreateModelMixin, _Many):
    """All catalogues."""

    queryset = CatalogueSource.objects.all()
    owner_path = "seller__owner"
    serializer_class = CatalogueSourceSerializer
    ordering = "-created_at"
    filterset_class = SourceFilter

    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Register a catalogue; it is synced within seconds, unless `is_active` is false."""
        return self.create(request, *args, **kwargs)


@extend_schema_view(
    get=extend_schema(summary="Show a catalogue"),
    patch=extend_schema(summary="Change fields of a catalogue"),
    delete=extend_schema(summary="Forget a catalogue; its businesses stay"),
)
class SourceView(_Editable):
    """One catalogue."""

    queryset = CatalogueSource.objects.all()
    owner_path = "seller__owner"
    serializer_class = CatalogueSourceSerializer


class SyncNowView(OwnRows):
    """Starting a sync."""

    owner_path = "seller__owner"

    @extend_schema(
        summary="Sync a catalogue now",
        request=None,
        responses={202: SyncSerializer, 200: OpenApiResponse(SyncSerializer, description="One is under way already.")},
    )
    def post(self, request: Request, id: UUID) -> Response:
        """Start a sync, or show the one under way."""
        source = generics.get_object_or_404(CatalogueSource.objects.all(), pk=id)
        with acting_as(request.user.get_username(), Source.API):
            sync, new = start_sync(source)
        return Response(SyncSerializer(sync).data, status.HTTP_202_ACCEPTED if new else status.HTTP_200_OK)


@extend_schema_view(get=extend_schema(summary="List syncs, newest first"))
class SyncsView(_Many):
    """All syncs."""

    queryset = Sync.objects.all()
    owner_path = "source__seller__owner"
    serializer_class = SyncSerializer
    ordering = "-started_at"
    filterset_class = SyncFilter


@extend_schema_view(get=extend_schema(summary="Show a sync: how far it has come, and its summary"))
class SyncView(_One):
    """One sync."""

    queryset = Sync.objects.all()
    owner_path = "source__seller__owner"
    serializer_class = SyncSerializer


@extend_schema_view(get=extend_schema(summary="List listings, newest first"))
class ListingsView(_Many):
    """What was read of all catalogues."""

    queryset = Listing.objects.all()
    owner_path = "source__seller__owner"
    serializer_class = ListingSerializer
    ordering = "-created_at"
    filterset_class = ListingFilter


@extend_schema_view(get=extend_schema(summary="Show a listing: what its page says, and why it is not live"))
class ListingView(_One):
    """One listing."""

    queryset = Listing.objects.all()
    owner_path = "source__seller__owner"
    serializer_class = ListingDetailSerializer


class _JudgeView(APIView):
    """A person's decision about a listing."""

    permission_classes = [IsAdminUser]
    throttle_scope = "staff"

    def judge(self, request: Request, id: UUID, decide: Any) -> Response:
        """Decide; 409 for a listing that nobody has to judge."""
        given = JudgementSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        generics.get_object_or_404(Listing.objects.all(), pk=id)
        listing = decide(id, by=request.user.get_username(), note=given.validated_data["note"])
        return Response(ListingDetailSerializer(listing).data)


_JUDGED: Any = {200: ListingDetailSerializer, 409: OpenApiResponse(description="Nobody has to judge it.")}


class ApproveView(_JudgeView):
    """Approving."""

    @extend_schema(
        summary="Publish a listing that was flagged or rejected", request=JudgementSerializer, responses=_JUDGED
    )
    def post(self, request: Request, id: UUID) -> Response:
        """Have it published."""
        return self.judge(request, id, approve)


class RejectView(_JudgeView):
    """Rejecting."""

    @extend_schema(summary="Keep a listing out of sight", request=JudgementSerializer, responses=_JUDGED)
    def post(self, request: Request, id: UUID) -> Response:
        """Keep it out of sight."""
        return self.judge(request, id, reject)
