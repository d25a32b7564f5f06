"""Pages of lists, by the values of the last row rather than by its number.

Django REST framework's cursor pages count rows of equal values, and no more than 1,000 of them; a bulk call makes
10,000 rows of one moment. Here the primary key makes every position unique, so no row is shown twice or missed while
others come and go, and a page deep inside costs what the first one costs.
"""

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import DateTimeField, Field, Model, Q, QuerySet
from rest_framework.exceptions import NotFound
from rest_framework.exceptions import ValidationError as SerializerError
from rest_framework.filters import OrderingFilter
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from jobs.api.fields import read_moment
from jobs.strict_json import read_json

if TYPE_CHECKING:
    from rest_framework.views import APIView

#: Query parameters of the page and of its size.
CURSOR = "cursor"
PAGE_SIZE = "page_size"


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page begins: after the row with this value and key, in the list's order or against it."""

    value: Any
    key: Any
    backwards: bool

    def encode(self) -> str:
        """Return the position as it stands in an address."""
        value = self.value.isoformat() if hasattr(self.value, "isoformat") else self.value
        return urlsafe_b64encode(json.dumps([value, str(self.key), self.backwards]).encode()).decode().rstrip("=")


def _decode(cursor: str, model: type[Model], field: str) -> Position:
    """Read a position from an address; raises `NotFound` for what is none."""
    try:
        value, key, backwards = read_json(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode())
        if value is not None:
            value = _read(cast("Field[Any, Any]", model._meta.get_field(field)), value)
        return Position(value, _read(model._meta.pk, key), bool(backwards))
    except (ValueError, TypeError, ValidationError, FieldDoesNotExist, RecursionError):
        raise NotFound("This cursor leads nowhere: start again without it.") from None


def _read(field: "Field[Any, Any]", text: Any) -> Any:
    """Read a value as it stands in a position; raises `ValueError` or `ValidationError` for what a row can't have."""
    if isinstance(field, DateTimeField):
        return read_moment(str(text))
    value = field.to_python(text)
    if isinstance(value, str) and "\x00" in value.encode().decode():
        raise ValueError("PostgreSQL has no NUL")
    return value


class Pagination(BasePagination):
    """Pages with `results`, `next` and `previous`; no count of the table."""

    page_size = 50
    max_page_size = 500
    ordering = "-created_at"

    def paginate_queryset(
        self, queryset: QuerySet[Any] | Sequence[Any], request: Request, view: "APIView | None" = None
    ) -> list[Any] | None:
        """Return the page that the request asks for."""
        assert isinstance(queryset, QuerySet)
        self.request = request
        self.field, self.descending = self._order(request, queryset, view)
        size = self._size(request)
        cursor = request.query_params.get(CURSOR, "")
        position = _decode(cursor, queryset.model, self.field) if cursor else None
        backwards = position.backwards if position else False
        descending = self.descending != backwards
        rows = queryset.order_by(*(f"{'-' if descending else ''}{name}" for name in (self.field, "pk")))
        if position is not None:
            nullable = bool(getattr(queryset.model._meta.get_field(self.field), "null", False))
            rows = rows.filter(_beyond(self.field, position, descending, nullable=nullable))
        page = list(rows[: size + 1])
        more = len(page) > size
        page = page[:size]
        if backwards:
            page.reverse()
        self.has_next = bool(page) and (more if not backwards else True)
        self.has_previous = bool(page) and (more if backwards else position is not None)
        self.page = page
        return page

    def get_paginated_response(self, data: Any) -> Response:
        """Return the page with the addresses of its neighbours."""
        return Response({"next": self._next(), "previous": self._previous(), "results": data})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Describe a page for OpenAPI."""
        address = {"type": "string", "nullable": True, "format": "uri"}
        return {
            "type": "object",
            "required": ["results", "next", "previous"],
            "properties": {"next": address, "previous": address, "results": schema},
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """Describe the parameters for OpenAPI."""
        return [
            {
                "name": CURSOR,
                "in": "query",
                "description": "The page; taken from `next` or `previous`.",
                "schema": {"type": "string"},
            },
            {
                "name": PAGE_SIZE,
                "in": "query",
                "description": f"Rows of a page, at most {self.max_page_size}.",
                "schema": {"type": "integer", "minimum": 1, "maximum": self.max_page_size},
            },
        ]

    def _order(self, request: Request, queryset: QuerySet[Any], view: "APIView | None") -> tuple[str, bool]:
        """Return the field and whether it descends: the client's choice where the view lets it, else the view's."""
        chosen: Any = getattr(view, "ordering", self.ordering)
        for backend in getattr(view, "filter_backends", ()):
            if issubclass(backend, OrderingFilter):
                chosen = backend().get_ordering(request, queryset, cast("APIView", view)) or chosen
        first = chosen if isinstance(chosen, str) else chosen[0]
        return first.lstrip("-"), first.startswith("-")

    def _size(self, request: Request) -> int:
        """Return the size that the client asked for; raises `ValidationError` for what is none."""
        given = request.query_params.get(PAGE_SIZE, "")
        if not given:
            return self.page_size
        if not re.fullmatch(r"0*[1-9][0-9]{0,8}", given) or int(given) > self.max_page_size:
            raise SerializerError({PAGE_SIZE: [f"Give a whole number from 1 to {self.max_page_size}."]})
        return int(given)

    def _at(self, row: Any, *, backwards: bool) -> str:
        cursor = Position(getattr(row, self.field), row.pk, backwards).encode()
        return replace_query_param(self.request.build_absolute_uri(), CURSOR, cursor)

    def _next(self) -> str | None:
        return self._at(self.page[-1], backwards=False) if self.has_next else None

    def _previous(self) -> str | None:
        if self.has_previous:
            return self._at(self.page[0], backwards=True)
        return None


def _beyond(field: str, position: Position, descending: bool, *, nullable: bool) -> Q:
    """Return the condition for rows after a position, where PostgreSQL sorts NULL behind every value."""
    comparison = "lt" if descending else "gt"
    same = Q(**{f"pk__{comparison}": position.key})
    if position.value is None:
        rest = Q(**{f"{field}__isnull": False}) if descending else Q()
        tie = Q(**{f"{field}__isnull": True}) & same
        return tie | rest if rest else tie
    tie = Q(**{field: position.value}) & same
    beyond = Q(**{f"{field}__{comparison}": position.value})
    # The bound says again what the rest says, so that the index finds where to begin.
    bound = Q(**{f"{field}__{comparison}e": position.value}) & (beyond | tie)
    return bound | Q(**{f"{field}__isnull": True}) if nullable and not descending else bound
