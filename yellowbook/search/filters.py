"""What narrows a search."""

from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import QuerySet

from yellowbook.directory.models import Business, BusinessStatus
from yellowbook.directory.selectors import published
from yellowbook.search.models import FACETS


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Exact values of fields, and a tag to have; None: any."""

    category: str | None = None
    city: str | None = None
    price_level: int | None = None
    tag: str | None = None

    def given(self) -> dict[str, Any]:
        """Return those that narrow, by the name of their field."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def businesses(self) -> QuerySet[Business]:
        """Return the published businesses that are left."""
        found = published().filter(**self._fields())
        return found if self.tag is None else found.filter(search_document__tags__contains=[self.tag])

    def facets(self) -> dict[str, Any]:
        """Return the fields in which all `businesses` have one value, with that."""
        return {"status": BusinessStatus.PUBLISHED.value, **self._fields()}

    def sql(self) -> tuple[str, dict[str, Any]]:
        """Return conditions on the columns of documents, each beginning with AND, and their parameters."""
        fields = self._fields()
        conditions = [f" AND document.{name} = %(filter_{name})s" for name in fields]
        if self.tag is not None:
            conditions.append(" AND document.tags @> ARRAY[%(filter_tag)s]::varchar[]")
        values = {f"filter_{name}": value for name, value in self.given().items()}
        if fields:
            # The same for the index, which does not tell whose value it is.
            conditions.append(f" AND {FACETS} @> %(facets)s::text[]")
            values["facets"] = [str(value) for value in fields.values()]
        return "".join(conditions), values

    def _fields(self) -> dict[str, Any]:
        return {name: value for name, value in self.given().items() if name != "tag"}
