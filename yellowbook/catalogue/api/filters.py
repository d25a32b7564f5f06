"""What the lists can be narrowed by. An id that nothing has leaves nothing over; it is no error."""

from jobs.api.filters import FilterSet, UUIDFilter
from yellowbook.catalogue.models import CatalogueSource, Listing, Sync


class SourceFilter(FilterSet):
    """Catalogues."""

    seller_id = UUIDFilter()

    class Meta:
        model = CatalogueSource
        fields = ["seller_id", "is_active"]


class SyncFilter(FilterSet):
    """Syncs."""

    source_id = UUIDFilter()

    class Meta:
        model = Sync
        fields = ["source_id", "state"]


class ListingFilter(FilterSet):
    """Listings."""

    source_id = UUIDFilter()

    class Meta:
        model = Listing
        fields = ["source_id", "stage"]
