"""What a set is made by: how many collections, of how many businesses, and among which businesses."""

from typing import Any, Final

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet
from pydantic import BaseModel, ConfigDict, Field

from yellowbook.curation.models import FeaturedBusiness
from yellowbook.directory.models import Business
from yellowbook.search.filters import Filters

#: The most collections of a set, and businesses of a collection.
MOST_COLLECTIONS: Final = 20
MOST_BUSINESSES: Final = 30


class Narrowed(BaseModel):
    """Which businesses may be chosen: those that have all of these; None: any."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    category: str | None = Field(default=None, min_length=1, max_length=100)
    city: str | None = Field(default=None, min_length=1, max_length=100)
    price_level: int | None = Field(default=None, ge=1, le=4)
    tag: str | None = Field(default=None, min_length=1, max_length=40)
    featured: bool = False

    def businesses(self) -> QuerySet[Business]:
        """Return the published businesses that are left."""
        named = {name: getattr(self, name) for name in ("category", "city", "price_level", "tag")}
        found = Filters(**named).businesses()
        return found.filter(Exists(featured())) if self.featured else found

    def given(self) -> dict[str, Any]:
        """Return those that narrow, by name."""
        return self.model_dump(exclude_defaults=True)


class Parameters(BaseModel):
    """What a set is made by."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    collections_count: int = Field(default_factory=lambda: settings.CURATION_COLLECTIONS, ge=1, le=MOST_COLLECTIONS)
    businesses_per_collection: int = Field(
        default_factory=lambda: settings.CURATION_BUSINESSES, ge=1, le=MOST_BUSINESSES
    )
    filters: Narrowed = Field(default_factory=Narrowed)

    def stored(self) -> dict[str, Any]:
        """Return the form in which a set has them."""
        return {**self.model_dump(exclude={"filters"}), "filters": self.filters.given()}


def featured() -> QuerySet[FeaturedBusiness]:
    """Return, for use on businesses, what features them."""
    return FeaturedBusiness.objects.filter(business_id=OuterRef("pk"))
