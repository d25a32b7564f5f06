"""What is read of one business, in the fields of `directory.models.Business`, with where it comes from."""

import hashlib
import json
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final


class IdSource(StrEnum):
    """What an item's `external_id` was made of, the most stable first."""

    #: `@id` in JSON-LD, `itemid` in microdata, `resource` in RDFa, `id` in a feed.
    NODE = "@id"
    #: `identifier`, `sku`, `branchCode` or a registration number.
    IDENTIFIER = "identifier"
    #: The address of the page about it.
    URL = "url"
    #: Its name and address: changes when one of them does.
    HASH = "hash"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where an item was read, by which parsers (joined by `+` when several added to it), and when it was fetched."""

    url: str
    parser: str
    fetched_at: datetime | None = None


#: Businesses of one document that are read, unless told otherwise.
MOST_ITEMS: Final = 10_000
#: Longest values, in characters: those of the model's fields. A longer text is cut at a word.
LONGEST: Final = {
    "external_id": 200,
    "name": 200,
    "category": 100,
    "description": 20_000,
    "address": 300,
    "city": 100,
    "phone": 100,
    "email": 254,
    "website": 300,
    "opening_hours": 1_000,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One business as a page or a feed tells of it. Texts are clean, within `LONGEST`, empty when nothing is told."""

    external_id: str
    id_source: IdSource
    name: str
    category: str = ""
    description: str = ""
    address: str = ""
    city: str = ""
    phone: str = ""
    email: str = ""
    website: str = ""
    #: Degrees, WGS 84; both or neither.
    latitude: float | None = None
    longitude: float | None = None
    #: From 1 (cheap) to 4 (expensive).
    price_level: int | None = None
    offers_online: bool = False
    #: As text, one rule per line; no field of `Business`.
    opening_hours: str = ""
    provenance: Provenance

    def values(self) -> dict[str, Any]:
        """Return the fields of `Business` by name, as `directory.rows.read_row` takes them."""
        return {name: getattr(self, name) for name in BUSINESS_FIELDS}

    def content_hash(self) -> str:
        """Return the hex SHA-256 of what is told, by canonical JSON; where and when it was read does not matter."""
        told = {each.name: getattr(self, each.name) for each in fields(self) if each.name not in _NOT_CONTENT}
        text = json.dumps(told, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

    def filled_from(self, other: "Item") -> "Item":
        """Return this item with what it lacks taken from `other`, which tells of the same business on the same page."""
        lacking = {
            name: getattr(other, name)
            for name in (*BUSINESS_FIELDS, "opening_hours")
            if not getattr(self, name) and getattr(self, name) != 0 and getattr(other, name)
        }
        if self.latitude is not None:
            lacking.pop("latitude", None)
            lacking.pop("longitude", None)
        if other.latitude is not None and self.latitude is None:
            lacking |= {"latitude": other.latitude, "longitude": other.longitude}
        if _RANK[other.id_source] < _RANK[self.id_source]:
            lacking |= {"external_id": other.external_id, "id_source": other.id_source}
        parsers = dict.fromkeys([*self.provenance.parser.split("+"), *other.provenance.parser.split("+")])
        return replace(self, **lacking, provenance=replace(self.provenance, parser="+".join(parsers)))


#: Fields that a `Business` has too.
BUSINESS_FIELDS: Final = (
    *("external_id", "name", "category", "description", "address", "city", "phone", "email", "website"),
    *("latitude", "longitude", "price_level", "offers_online"),
)
_NOT_CONTENT: Final = frozenset({"provenance", "external_id", "id_source"})
_RANK: Final = {source: rank for rank, source in enumerate(IdSource)}


def hash_id(*parts: str) -> str:
    """Return an id made of what is told: equal texts, whatever their case, give equal ids."""
    text = "\n".join(" ".join(part.casefold().split()) for part in parts)
    return "hash:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Extraction:
    """What a document says: businesses, further pages of the same site, and what could not be read, for people."""

    items: list[Item] = field(default_factory=list)
    next_pages: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
