"""The order in which rows are gone through: by a unique key, so that one can stop anywhere and go on there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from django.db.models import F, Max, Q, QuerySet

from jobs import clock

_BIGGEST_ID = 2**63 - 1


class Keyset(Protocol):
    """One order, from the newest row to the oldest: what comes meanwhile is behind the place where one is."""

    def read(self, text: str) -> Any:
        """Return the primary key that `text` spells; `ValueError` for what is none."""

    def newest(self, rows: QuerySet[Any]) -> str:
        """Return the cut-off for `rows` as they are now: what comes later is beyond it."""

    def until(self, rows: QuerySet[Any], up_to: str) -> QuerySet[Any]:
        """Return those of `rows` that a cut-off of `newest` includes; `ValueError` for what is no cut-off."""

    def page(self, rows: QuerySet[Any], cursor: str, limit: int) -> tuple[list[Any], str]:
        """Return the primary keys of the next rows after `cursor` (empty: from the beginning), and the new cursor."""


@dataclass(frozen=True)
class ByNumber:
    """Rows with a growing number for a primary key."""

    def read(self, text: str) -> int:
        """Read a number that PostgreSQL has."""
        number = int(text)
        if not 0 <= number <= _BIGGEST_ID:
            raise ValueError("out of range")
        return number

    def newest(self, rows: QuerySet[Any]) -> str:
        """Return the highest number."""
        return str(rows.order_by().aggregate(newest=Max("pk"))["newest"] or 0)

    def until(self, rows: QuerySet[Any], up_to: str) -> QuerySet[Any]:
        """Compare numbers."""
        return rows.filter(pk__lte=self.read(up_to))

    def page(self, rows: QuerySet[Any], cursor: str, limit: int) -> tuple[list[Any], str]:
        """Go from the highest number down."""
        rest = rows.filter(pk__lt=int(cursor)) if cursor else rows
        numbers: list[int] = list(rest.order_by("-pk").values_list("pk", flat=True)[:limit])
        return numbers, str(numbers[-1]) if numbers else cursor


@dataclass(frozen=True)
class ByTime:
    """Rows with a UUID for a primary key, by the time when they were made."""

    field: str = "created_at"

    def read(self, text: str) -> UUID:
        """Read a UUID."""
        return UUID(text)

    def newest(self, rows: QuerySet[Any]) -> str:
        """Return the time by the database's clock."""
        return clock.now().isoformat()

    def until(self, rows: QuerySet[Any], up_to: str) -> QuerySet[Any]:
        """Compare times."""
        moment = datetime.fromisoformat(up_to)
        if moment.tzinfo is None:
            raise ValueError("a time without its zone")
        return rows.filter(**{f"{self.field}__lte": moment})

    def page(self, rows: QuerySet[Any], cursor: str, limit: int) -> tuple[list[Any], str]:
        """Go back in time; rows of one moment in the order of their ids, which is that of the list's index."""
        if cursor:
            at, _, pk = cursor.partition(" ")
            moment = datetime.fromisoformat(at)
            # The bound says again what the rest says, so that the index finds where to begin.
            bound = Q(**{f"{self.field}__lte": moment})
            beyond = Q(**{f"{self.field}__lt": moment}) | Q(**{self.field: moment}, pk__gt=UUID(pk))
            rows = rows.filter(bound & beyond)
        ordered = rows.order_by(F(self.field).desc(), "pk").values_list("pk", self.field)
        found: Sequence[tuple[UUID, datetime]] = list(ordered[:limit])
        return [pk for pk, _ in found], f"{found[-1][1].isoformat()} {found[-1][0]}" if found else cursor
