"""What narrows a search."""

from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import QuerySet

from yellowbook.directory.models import Business, BusinessStatus
from yellowbook.directory.selectors import published


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Exact values of fields; None: any."""

    category: str | None = None
    city: str | None = None
    price_level: int | None = None

    def given(self) -> dict[str, Any]:
        """Return those that narrow, by the name of their field."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def businesses(self) -> QuerySet[Business]:
        """Return the published businesses that are left."""
        return published().filter(**self.given())

    def facets(self) -> dict[str, Any]:
        """Return what `businesses` have in common, by the name of the field."""
        return {"status": BusinessStatus.PUBLISHED.value, **self.given()}

    def sql(self) -> tuple[str, dict[str, Any]]:
        """Return conditions on the columns of documents, each beginning with AND, and their parameters."""
        given = self.given()
        return "".join(f" AND document.{name} = %(filter_{name})s" for name in given), {
            f"filter_{name}": value for name, value in given.items()
        }
