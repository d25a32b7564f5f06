"""What of a business suits the answers besides its text: each match adds to the score."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from yellowbook.enrichment.vocabulary import words_of
from yellowbook.recommendations.occasions import occasions

#: Characters of a description that occasions are looked for in: as many as models read.
READ: Final = 4_000


class Facet(StrEnum):
    """What can match."""

    CATEGORY = "category"
    CITY = "city"
    PRICE = "price"
    OCCASION = "occasion"


#: What a match adds to a cosine. The category says most: it was chosen from a list, and its words are embedded too.
BONUS: Final = {Facet.CATEGORY: 0.10, Facet.CITY: 0.05, Facet.PRICE: 0.05, Facet.OCCASION: 0.05}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """The facets of a profile; empty ones wish for nothing."""

    categories: Collection[str] = ()
    cities: Collection[str] = ()
    price_levels: Collection[int] = ()
    #: Names of occasions; those that are not known any more match nothing.
    occasions: Collection[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What a business has of them. `words` is all its text; it is read only for who wishes for an occasion."""

    category: str
    city: str
    price_level: int | None
    words: str = ""


def matches(wishes: Wishes, traits: Traits) -> dict[Facet, str]:
    """Return what matches, with the value that does: of several occasions the first one of the list."""
    found: dict[Facet, str] = {}
    if traits.category in wishes.categories:
        found[Facet.CATEGORY] = traits.category
    if traits.city in wishes.cities:
        found[Facet.CITY] = traits.city
    if traits.price_level in wishes.price_levels:
        found[Facet.PRICE] = str(traits.price_level)
    if wishes.occasions:
        said = words_of(traits.words)
        for name, occasion in occasions().items():
            if name in wishes.occasions and occasion.said.search(said):
                found[Facet.OCCASION] = name
                break
    return found


def bonus(found: Collection[Facet]) -> float:
    """Return what matches add to the score."""
    return sum(BONUS[facet] for facet in found)
