"""Feeds: JSON lists, GeoJSON and CSV. A record becomes a node, so that one mapping serves pages and feeds alike."""

from collections.abc import Iterable, Iterator, Mapping
from io import BytesIO
from typing import Any, Final

from yellowbook.catalogue.extract.document import Document, Found
from yellowbook.catalogue.extract.json_ld import is_json_ld
from yellowbook.catalogue.extract.nodes import MOST_NODES, Node
from yellowbook.directory.parsers import UnreadableFile, read_csv

#: Properties of schema.org (dotted: of the node inside) by what feeds call them, in lower case with underscores.
ALIASES: Final = {
    alias: name
    for name, aliases in {
        "@id": "external_id id @id uid guid uuid source_id place_id osm_id",
        "identifier": "sku code identifier register registration_number tax_id регистр регистрийн_дугаар",
        "name": "name title business_name company company_name name_mn name:mn нэр байгууллагын_нэр компанийн_нэр",
        "category": (
            "category categories type kind industry amenity shop tourism office craft leisure healthcare "
            "ангилал төрөл үйл_ажиллагаа салбар"
        ),
        "description": "description about summary details description_mn тайлбар танилцуулга",
        "address": "address full_address formatted_address addr addr:full location_address хаяг байршил",
        "address.streetAddress": "street street_address streetaddress addr:street гудамж",
        "address.addressLocality": "city town locality addresslocality addr:city хот",
        "address.addressRegion": "region province state addressregion addr:province аймаг",
        "address.postalCode": "postal_code postcode postalcode zip addr:postcode зип_код",
        "telephone": "phone telephone tel mobile phone_number phones contact_phone contact:phone утас утасны_дугаар",
        "email": "email e_mail mail contact:email имэйл и_мэйл мэйл",
        "url": "website url web homepage site link contact:website вэб вэбсайт вэб_хуудас цахим_хуудас",
        "latitude": "latitude lat y өргөрөг",
        "longitude": "longitude lon lng long x уртраг",
        "priceRange": "price_level price_range pricerange price үнэ үнийн_түвшин",
        "offers_online": "offers_online online online_order online_orders онлайн",
        "openingHours": "opening_hours openinghours hours working_hours цагийн_хуваарь ажлын_цаг",
    }.items()
    for alias in aliases.split()
}
#: Where a JSON object keeps its list, and where the address of the next page.
_LISTS: Final = (
    *("results", "items", "data", "businesses", "features", "records", "places", "entries", "rows", "list"),
    *("hydra:member", "member"),
)
_NEXT: Final = ("next", "next_page", "nextPage", "next_url", "nextPageUrl", "next_page_url", "hydra:next")
_HOLDERS: Final = ("links", "paging", "pagination", "meta", "_links", "hydra:view", "view", "data")
_YES: Final = frozenset({"true", "yes", "1", "t", "y", "тийм"})
#: Line problems that are told one by one.
_MOST_PROBLEMS: Final = 20


def read_json(document: Document) -> Found:
    """Read a list of objects, alone or inside an object; GeoJSON features with their positions."""
    found = Found()
    value = document.json
    if document.kind != "json" or is_json_ld(value):
        return found
    if value is None:
        found.problems.append("The document is no JSON that can be read.")
        return found
    records = _records(value)
    for record in records[:MOST_NODES]:
        if isinstance(record, dict):
            found.graph.add(_node(_feature(record) if record.get("type") == "Feature" else record))
    if len(records) > MOST_NODES:
        found.problems.append(f"The feed has {len(records):,} entries: only {MOST_NODES:,} are read.")
    found.next_pages += _next_pages(value)
    return found


def read_table(document: Document) -> Found:
    """Read CSV, separated by commas, semicolons or tabs, with a header."""
    found = Found()
    if document.kind != "csv":
        return found
    try:
        _, records = read_csv(BytesIO(document.text.encode("utf-8", "replace")))
        bad = 0
        for number, record in enumerate(records):
            if number >= MOST_NODES:
                found.problems.append(f"The feed has more than {MOST_NODES:,} rows: the rest is left out.")
                break
            if not record.problem:
                found.graph.add(_node(record.values))
            elif (bad := bad + 1) <= _MOST_PROBLEMS:
                found.problems.append(f"Line {record.line}: {record.problem}")
        if bad > _MOST_PROBLEMS:
            found.problems.append(f"{bad - _MOST_PROBLEMS} further lines can't be read.")
    except UnreadableFile as error:
        found.problems.append(str(error))
    return found


def _records(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    if not isinstance(value, dict):
        return []
    for name in _LISTS:
        inside = value.get(name)
        if isinstance(inside, list):
            return inside
        if isinstance(inside, dict) and (deeper := [each for each in inside.values() if isinstance(each, list)]):
            return max(deeper, key=len)
    lists = [each for each in value.values() if isinstance(each, list) and any(isinstance(one, dict) for one in each)]
    return max(lists, key=len) if lists else [value]


def _next_pages(value: Any) -> list[str]:
    if not isinstance(value, dict):
        return []
    holders = [value, *(value[name] for name in _HOLDERS if isinstance(value.get(name), dict))]
    links = [holder.get(name) for holder in holders for name in _NEXT]
    links = [link.get("href") if isinstance(link, dict) else link for link in links]
    # A number is the next page's, and only its API knows what to do with it.
    return [link for link in links if isinstance(link, str) and link and not link.isdigit()]


def _feature(feature: Mapping[str, Any]) -> dict[str, Any]:
    """Return a GeoJSON feature (RFC 7946) as a record; what is no point is where its middle is."""
    record = dict(feature["properties"]) if isinstance(feature.get("properties"), dict) else {}
    if "id" in feature:
        record.setdefault("id", feature["id"])
    geometry = feature.get("geometry")
    if isinstance(geometry, dict):
        points = list(_points(geometry.get("coordinates")))
        if points:
            east, north = zip(*points, strict=True)
            record["latitude"] = (min(north) + max(north)) / 2
            record["longitude"] = (min(east) + max(east)) / 2
    return record


def _points(coordinates: Any) -> Iterator[tuple[float, float]]:
    """Yield the positions, at most 10,000, in lists of any depth."""
    waiting, steps = [coordinates], 0
    while waiting and (steps := steps + 1) <= 10_000:
        each = waiting.pop()
        if not isinstance(each, list):
            continue
        if len(each) >= 2 and all(type(number) in (int, float) and abs(number) <= 360 for number in each[:2]):
            yield each[0], each[1]
        else:
            waiting += each[:10_000]


def _node(record: Mapping[str, Any]) -> Node:
    """Return a record as a node; names that nobody knows are passed over."""
    node: Node = {"@type": ["LocalBusiness"]}
    inside: Node = {}
    for written, value in _flat(record):
        name = ALIASES.get(written)
        if name is None or value is None or value == "":
            continue
        if name == "@id":
            node.setdefault("@id", str(value))
        elif name == "offers_online":
            node[name] = [value if isinstance(value, bool) else str(value).strip().lower() in _YES]
        elif name.startswith("address."):
            inside.setdefault(name.partition(".")[2], []).append(value)
        else:
            node.setdefault(name, []).extend(value if isinstance(value, list) else [value])
    if inside:
        # The whole address, where it is given, says the parts too; the city is wanted by itself.
        node["city"] = inside.get("addressLocality", [])
        node.setdefault("address", [inside])
    return node


def _flat(record: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield names as aliases are written, with values; objects one level down give theirs."""
    for name, value in record.items():
        plain = _key(name)
        if isinstance(value, dict):
            yield from ((_key(inner), each) for inner, each in value.items() if _is_plain(each))
        elif plain in ("coordinates", "location", "geo") and isinstance(value, list) and len(value) == 2:
            yield from zip(("longitude", "latitude"), value, strict=True)
        elif _is_plain(value):
            yield plain, value


def _key(name: Any) -> str:
    return str(name).strip().lower().replace(" ", "_").replace("-", "_")


def _is_plain(value: Any) -> bool:
    inside = value if isinstance(value, list) else [value]
    return not any(isinstance(one, dict | list) for one in inside)


def columns(names: Iterable[str]) -> dict[str, str]:
    """Return what each column of a feed is taken for, by name; for whoever sets a source up."""
    return {name: ALIASES[_key(name)] for name in names if _key(name) in ALIASES}
