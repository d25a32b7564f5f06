"""Filters and order of the list of businesses."""

import django_filters
from django.db.models import QuerySet

from jobs.api.filters import FlagFilter
from yellowbook.directory import selectors
from yellowbook.directory.models import Business, BusinessStatus


class BusinessFilter(django_filters.FilterSet):  # type: ignore[misc]
    """What a list of businesses can be narrowed by; filters add up."""

    q = django_filters.CharFilter(
        method="filter_name", max_length=200, help_text="Words that the name contains, in any case."
    )
    category = django_filters.CharFilter(max_length=100, help_text="The exact category.")
    city = django_filters.CharFilter(max_length=100, help_text="The exact city.")
    price_level = django_filters.TypedChoiceFilter(choices=[(n, n) for n in range(1, 5)], coerce=int)
    offers_online = FlagFilter()
    status = django_filters.ChoiceFilter(
        choices=BusinessStatus.choices, help_text="Only staff sees other than published businesses."
    )

    class Meta:
        model = Business
        fields = ["q", "category", "city", "price_level", "offers_online", "status"]

    def filter_name(self, businesses: QuerySet[Business], _: str, query: str) -> QuerySet[Business]:
        """Search by name."""
        return selectors.named_like(businesses, query)
