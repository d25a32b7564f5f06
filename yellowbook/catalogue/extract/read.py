"""Reads one fetched document: every parser has its turn, what several say of one business is put together."""

from datetime import datetime
from typing import Final

from yellowbook.catalogue.extract.document import Document
from yellowbook.catalogue.extract.item import MOST_ITEMS, Extraction, IdSource, Item, Provenance
from yellowbook.catalogue.extract.links import listed, rel_next, within_site
from yellowbook.catalogue.extract.registry import PARSERS
from yellowbook.catalogue.extract.schema_org import businesses

#: Problems that are told.
_MOST_PROBLEMS: Final = 100


def extract(
    body: bytes,
    url: str,
    content_type: str = "",
    *,
    fetched_at: datetime | None = None,
    most_items: int = MOST_ITEMS,
) -> Extraction:
    """Read the businesses in a document that was fetched from `url`. Raises nothing, whatever the bytes are.

    `content_type` is the server's header with its parameters; without it the bytes are looked at. `url` is where the
    document came from after redirects: addresses are resolved against it, and `next_pages` stay on its site.
    """
    document = Document(body, url, content_type)
    items: list[Item] = []
    links = list(rel_next(document))
    problems: list[str] = []
    for name, parse in PARSERS.items():
        found = parse(document)
        provenance = Provenance(url=url, parser=name, fetched_at=fetched_at)
        items = _merged(items, businesses(found, provenance, most_items))
        links += found.next_pages
        links += listed(found.graph)
        problems += found.problems
    told = {item.website for item in items}
    pages = [page for page in within_site(links, url) if page not in told or len(items) <= 1]
    return Extraction(items=items[:most_items], next_pages=pages, problems=problems[:_MOST_PROBLEMS])


def _merged(known: list[Item], further: list[Item]) -> list[Item]:
    """Add what another parser read: to the business that it is about, or as a new one."""
    if not known:
        return further
    places: dict[str, list[int]] = {}
    for place, item in enumerate(known):
        places.setdefault(item.name.casefold(), []).append(place)
    made = list(known)
    for item in further:
        same = next((each for each in places.get(item.name.casefold(), []) if _are_one(made[each], item)), None)
        if same is None:
            made.append(item)
        else:
            made[same] = made[same].filled_from(item)
    return made


def _are_one(one: Item, other: Item) -> bool:
    """Tell whether two items of one name on one page are one business: no two addresses, no two ids of their own."""
    if one.external_id == other.external_id:
        return True
    if one.address and other.address and one.address.casefold() != other.address.casefold():
        return False
    return IdSource.HASH in (one.id_source, other.id_source) or one.id_source != other.id_source
