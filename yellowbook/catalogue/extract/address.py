"""A postal address on one line, in the order of its language."""

import re
from typing import Any, Final

from yellowbook.catalogue.extract.nodes import Graph, Node, in_one_language, is_node
from yellowbook.catalogue.extract.values import line

_CYRILLIC: Final = re.compile("[\u0400-\u04ff]")
#: Not worth saying in a directory of this country.
_HERE: Final = frozenset({"mn", "mng", "mongolia", "монгол", "монгол улс"})


def one_line(graph: Graph, node: Node) -> str:
    """Return the address of a business: in Mongolian from the largest part to the smallest, otherwise the other way."""
    for holder in (node, *graph.nodes(node, "location", "containedInPlace")):
        values = graph.values(holder, "address")
        for value in values:
            if is_node(value) and (told := _parts(graph, value)):
                return told
        texts = in_one_language(value for value in values if not is_node(value))
        if told := next(filter(None, (line(text, "address") for text in texts)), ""):
            return told
    return ""


def city_of(graph: Graph, node: Node) -> str:
    """Return the city: what the address calls its locality."""
    for holder in (node, *graph.nodes(node, "location")):
        for address in graph.nodes(holder, "address"):
            if city := _text(graph, address, "addressLocality"):
                return line(city, "city")
    return line(graph.text(node, "city", "addressLocality"), "city")


def _parts(graph: Graph, address: Node) -> str:
    street, locality, region, code, country = (
        _text(graph, address, name)
        for name in ("streetAddress", "addressLocality", "addressRegion", "postalCode", "addressCountry")
    )
    country = "" if country.casefold() in _HERE else country
    outer = [region, locality] if _CYRILLIC.search(street or locality) else [locality, region]
    ordered = [*outer, street] if _CYRILLIC.search(street or locality) else [street, *outer]
    kept: list[str] = []
    for part in [*ordered, code, country]:
        # Many write the whole address into the street: what it names already is not repeated.
        if part and not any(_says(other, part) for other in (*kept, street) if other != part) and part not in kept:
            kept.append(part)
    return line(", ".join(kept) or _text(graph, address, "name", "description"), "address")


def _says(text: str, part: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(part.casefold())}(?!\w)", text.casefold()) is not None


def _text(graph: Graph, node: Node, *names: str) -> str:
    value: Any = graph.text(node, *names)
    return line(value, "address")
