"""What a list can be narrowed by, and what it is narrowed by already."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.utils.translation import gettext as _

from yellowbook.directory.descriptions import label_of
from yellowbook.search.pages.asked import Asked
from yellowbook.search.pages.counts import Counts
from yellowbook.search.pages.prices import price_words

#: Values of a facet, the most frequent ones; and those of them that stand open, the rest is unfolded.
MOST, OPEN = 24, 8


@dataclass(frozen=True, slots=True)
class Choice:
    """A value, how many businesses have it, and the address that narrows to it."""

    name: str
    businesses: int
    url: str


@dataclass(frozen=True, slots=True)
class Facet:
    """A field to narrow by."""

    title: str
    choices: list[Choice] = field(default_factory=list)

    @property
    def first(self) -> list[Choice]:
        """Those that stand open."""
        return self.choices[:OPEN]

    @property
    def rest(self) -> list[Choice]:
        """The others."""
        return self.choices[OPEN:]


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter in force, and the address without it."""

    title: str
    name: str
    url: str


def facets(asked: Asked, counts: Counts) -> list[Facet]:
    """Return the fields that a list can still be narrowed by."""
    of_field: dict[str, tuple[str, Mapping[str, int]]] = {
        "category": (_("Category"), counts.categories),
        "city": (_("City"), counts.cities),
        "price_level": (_("Price"), counts.price_levels),
        "tag": (_("Tag"), counts.tags),
    }
    return [
        Facet(title, [_choice(asked, name, value, many) for value, many in islice(values.items(), MOST)])
        for name, (title, values) in of_field.items()
        if name not in asked.filters.given() and len(values) > 0
    ]


def chips(asked: Asked) -> list[Chip]:
    """Return the filters in force."""
    titles = {"category": _("Category"), "city": _("City"), "price_level": _("Price"), "tag": _("Tag")}
    return [
        Chip(titles[name], _told(name, value), asked.url(**{name: None}))
        for name, value in asked.filters.given().items()
    ]


def _choice(asked: Asked, name: str, value: str, many: int) -> Choice:
    return Choice(_told(name, value), many, asked.url(**{name: value}))


def _told(name: str, value: Any) -> str:
    if name == "price_level":
        return price_words(int(value))
    return label_of(value) if name == "tag" else str(value)
