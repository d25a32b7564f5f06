"""Opening hours as text, one rule per line, in the short form of schema.org's `openingHours`."""

from typing import Final

from yellowbook.catalogue.extract.nodes import Graph, Node, is_node, plain_name
from yellowbook.catalogue.extract.values import line, paragraphs

_DAYS: Final = {
    day: day[:2] for day in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
} | {"PublicHolidays": "PH"}


def opening_hours(graph: Graph, node: Node) -> str:
    """Return what a business says of its hours; empty when it says nothing."""
    told = [line(text, "opening_hours") for text in graph.texts(node, "openingHours")]
    told += [_rule(graph, each) for each in graph.nodes(node, "openingHoursSpecification")[:30]]
    return paragraphs("\n".join(dict.fromkeys(filter(None, told))), "opening_hours")


def _rule(graph: Graph, rule: Node) -> str:
    days = [str(each.get("@id", "") if is_node(each) else each) for each in graph.values(rule, "dayOfWeek")]
    named = ",".join(_DAYS.get(plain_name(day), line(day, "category")) for day in days[:8])
    opens, closes = (line(graph.text(rule, name), "category") for name in ("opens", "closes"))
    return f"{named} {opens}-{closes}".strip() if opens and closes else ""
