"""Pages of lists."""

from rest_framework.pagination import CursorPagination


class Pagination(CursorPagination):
    """Pages by cursor: no count of the table, and no row twice or missed while rows come and go."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 500
    ordering = "-created_at"
