"""From nodes of schema.org to businesses: which node is one, and what of it goes into which field."""

from dataclasses import replace
from typing import Any, Final

from yellowbook.catalogue.extract.address import city_of, one_line
from yellowbook.catalogue.extract.document import Found
from yellowbook.catalogue.extract.hours import opening_hours
from yellowbook.catalogue.extract.identity import identify
from yellowbook.catalogue.extract.item import IdSource, Item, Provenance, hash_id
from yellowbook.catalogue.extract.nodes import Graph, Node, types
from yellowbook.catalogue.extract.prices import level_of, price_level
from yellowbook.catalogue.extract.types import (
    FOOD,
    LOCAL_BUSINESS,
    OFFERS,
    ONLINE,
    ORGANIZATIONS,
    PRODUCTS,
    category_of,
)
from yellowbook.catalogue.extract.values import email, line, number, paragraphs, phone, position
from yellowbook.catalogue.fetch.site import absolute

#: Names of products that go into the description of a business that has none.
_MOST_PRODUCTS: Final = 20
_IDENTIFIERS: Final = ("identifier", "sku", "branchCode", "taxID", "vatID", "leiCode", "duns", "globalLocationNumber")
#: One of these an organization must say to be a business: where it is, or how to reach it.
_CONTACTS: Final = ("address", "geo", "telephone", "email", "contactPoint", "location")
_ORDERS: Final = frozenset({"OrderAction", "BuyAction"})


def businesses(found: Found, provenance: Provenance, most: int) -> list[Item]:
    """Return the businesses among what a parser found, at most `most`; adds to `found.problems` what is none, why."""
    graph = found.graph
    candidates, products, nameless, unreachable = [], [], 0, []
    for node in graph.reachable():
        kinds = set(types(node))
        if kinds & (LOCAL_BUSINESS | ORGANIZATIONS):
            name = line(graph.text(node, "name", "legalName", "alternateName"), "name")
            if not name:
                nameless += 1
            elif not kinds & LOCAL_BUSINESS and not _can_be_reached(graph, node):
                unreachable.append(name)
            else:
                candidates.append((node, name))
        elif kinds & PRODUCTS:
            products.append(node)
    if nameless:
        found.problems.append(f"{nameless} businesses without a name are left out.")
    found.problems += [
        f"{name}: an organization without address, position, phone or email." for name in unreachable[:20]
    ]
    if len(candidates) > most:
        found.problems.append(f"There are {len(candidates):,} businesses: only {most:,} are read.")
    items = [_item(graph, node, name, provenance, alone=len(candidates) == 1) for node, name in candidates[:most]]
    if len(items) == 1 and products:
        return [_with_products(items[0], candidates[0][0], graph, products)]
    if products and not items:
        found.problems.append(f"{len(products)} products, and no business that sells them.")
    return _with_ids_of_their_own(items, found)


def _can_be_reached(graph: Graph, node: Node) -> bool:
    return any(
        graph.values(node, name) for name in ("address", "geo", "telephone", "email", "contactPoint", "location")
    )


def _item(graph: Graph, node: Node, name: str, provenance: Provenance, *, alone: bool) -> Item:
    address = one_line(graph, node)
    url = str(graph.text(node, "url") or (graph.nodes(node, "url") or [{}])[0].get("@id", ""))
    identifier, source = identify(
        node_id=str(node.get("@id", "")),
        identifiers=[_identifier(graph, each) for key in _IDENTIFIERS for each in graph.values(node, key)],
        url=url,
        page=provenance.url,
        name=name,
        address=address,
        alone=alone,
    )
    north, east = _position(graph, node) or (None, None)
    contacts = graph.nodes(node, "contactPoint", "contactPoints")
    return Item(
        external_id=identifier,
        id_source=source,
        name=name,
        category=line(graph.text(node, "category"), "category") or line(category_of(types(node)), "category"),
        description=paragraphs(graph.text(node, "description", "disambiguatingDescription", "slogan"), "description"),
        address=address,
        city=city_of(graph, node),
        phone=_first(phone, _all(graph, [node, *contacts], "telephone")),
        email=_first(email, _all(graph, [node, *contacts], "email")),
        website=_website(url, provenance.url),
        latitude=north,
        longitude=east,
        price_level=_first(price_level, graph.texts(node, "priceRange")) or None,
        offers_online=_sells_online(graph, node),
        opening_hours=opening_hours(graph, node),
        provenance=provenance,
    )


def _identifier(graph: Graph, value: Any) -> str:
    """Return an identifier as text, as `propertyID:value` when it says whose it is."""
    if not isinstance(value, dict):
        return line(value, "description")
    if "@value" in value:
        return line(value["@value"], "description")
    told = line(graph.text(value, "value", "name"), "description")
    whose = line(graph.text(value, "propertyID"), "category")
    return f"{whose}:{told}" if whose and told else told


def _all(graph: Graph, nodes: list[Node], name: str) -> list[Any]:
    return [text for node in nodes for text in graph.texts(node, name)]


def _first(convert: Any, values: list[Any]) -> Any:
    """Return the first value that makes sense; several telephone numbers are joined."""
    if convert is phone:
        return phone(", ".join(line(value, "description") for value in values[:5]))
    return next((made for value in values[:20] if (made := convert(value))), "")


def _website(url: str, page: str) -> str:
    website = absolute(line(url, "description"), page) if url else None
    return website if website and len(website) <= 300 else ""


def _position(graph: Graph, node: Node) -> tuple[float, float] | None:
    places = [*graph.nodes(node, "geo"), node, *graph.nodes(node, "location")]
    places += [inner for place in graph.nodes(node, "location") for inner in graph.nodes(place, "geo")]
    for place in places:
        found = position(graph.text(place, "latitude"), graph.text(place, "longitude"))
        if found:
            return found
    for text in graph.texts(node, "geo"):
        north, comma, east = str(text).partition("," if "," in str(text) else ";")
        if comma and (found := position(north, east.strip())):
            return found
    return None


def _sells_online(graph: Graph, node: Node) -> bool:
    said = graph.text(node, "offers_online")
    if isinstance(said, bool):
        return said
    return (
        bool(ONLINE.intersection(types(node)))
        or any(_ORDERS.intersection(types(action)) for action in graph.nodes(node, "potentialAction"))
        or any(_is_online(graph, offer) for offer in _offers(graph, node))
    )


def _offers(graph: Graph, node: Node) -> list[Node]:
    return [
        each
        for each in graph.nodes(node, "offers", "makesOffer")
        if OFFERS.intersection(types(each)) or each.get("price")
    ]


def _is_online(graph: Graph, offer: Node) -> bool:
    where = str(graph.text(offer, "availability") or (graph.nodes(offer, "availability") or [{}])[0].get("@id", ""))
    return where.rstrip("/").endswith(("OnlineOnly", "InStock", "PreOrder", "BackOrder", "LimitedAvailability"))


def _with_products(item: Item, node: Node, graph: Graph, products: list[Node]) -> Item:
    """Return the one business of a page with what its products tell: what it sells, whether online, and at what price.

    Prices say something for places where one eats; for shops they say what the thing is, not how dear the shop is.
    """
    names = dict.fromkeys(filter(None, (line(graph.text(each, "name"), "name") for each in products)))
    offers = [offer for each in products for offer in _offers(graph, each)]
    level = item.price_level
    if level is None and FOOD.intersection(types(node)):
        levels = sorted(filter(None, (_level(graph, offer) for offer in offers)))
        level = levels[len(levels) // 2] if levels else None
    return replace(
        item,
        description=item.description or "; ".join(list(names)[:_MOST_PRODUCTS]),
        offers_online=item.offers_online or any(_is_online(graph, offer) for offer in offers),
        price_level=level,
    )


def _level(graph: Graph, offer: Node) -> int | None:
    amount = number(graph.text(offer, "price", "lowPrice"))
    return level_of(amount, line(graph.text(offer, "priceCurrency"), "category")) if amount else None


def _with_ids_of_their_own(items: list[Item], found: Found) -> list[Item]:
    """Give businesses that share an id, as templates make them, ids by name and address; drop mere repetitions."""
    by_id: dict[str, list[Item]] = {}
    for item in items:
        by_id.setdefault(item.external_id, []).append(item)
    made: list[Item] = []
    for identifier, group in by_id.items():
        names = {(item.name.casefold(), item.address.casefold()) for item in group}
        if len(names) == 1:
            merged = group[0]
            for other in group[1:]:
                merged = merged.filled_from(other)
            made.append(merged)
            continue
        found.problems.append(
            f"{len(group)} businesses share the id {identifier}: they are told apart by name and address."
        )
        for item in {(item.name.casefold(), item.address.casefold()): item for item in group}.values():
            own = hash_id(identifier, item.name, item.address)
            made.append(replace(item, external_id=own, id_source=IdSource.HASH))
    return made
