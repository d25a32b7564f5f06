"""Pages of lists."""

from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet
from rest_framework.filters import OrderingFilter
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request

if TYPE_CHECKING:
    from rest_framework.views import APIView


class Pagination(CursorPagination):
    """Pages by cursor: no count of the table, and no row twice or missed while rows come and go."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 500
    ordering = "-created_at"

    def get_ordering(self, request: Request, queryset: QuerySet[Any], view: "APIView") -> tuple[str, ...]:
        """Return the order that the client chose where the view lets it, else the view's own, else newest first."""
        if any(issubclass(backend, OrderingFilter) for backend in getattr(view, "filter_backends", ())):
            return tuple(super().get_ordering(request, queryset, view))
        return (getattr(view, "ordering", self.ordering),)
