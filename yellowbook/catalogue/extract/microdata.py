"""Microdata, by the HTML standard's own algorithm; elements are walked without recursion, pages nest without limit."""

from selectolax.lexbor import LexborNode

from yellowbook.catalogue.extract.document import Document, Found
from yellowbook.catalogue.extract.markup import Values, children
from yellowbook.catalogue.extract.nodes import MOST_NODES, Node, plain_name

#: An element still to be read, and the item that its properties belong to.
_Waiting = list[tuple[LexborNode, Node | None]]


def read(document: Document) -> Found:
    """Read the items of a page."""
    found = Found()
    if document.tree is None or document.tree.root is None or "itemscope" not in document.text.lower():
        return found
    named = {element.attributes.get("id"): element for element in document.tree.css("[id]")}
    values = Values(document.url)
    #: Which elements an item has taken in already: `itemref` may go round in a circle.
    taken: set[tuple[int, int]] = set()
    waiting: _Waiting = [(document.tree.root, None)]
    #: The item of each element: one that is referred to from several places is one item, in circles too.
    items: dict[int, Node] = {}
    while waiting:
        element, holder = waiting.pop()
        if holder is not None:
            if (id(holder), element.mem_id) in taken:
                continue
            taken.add((id(holder), element.mem_id))
        attributes = element.attributes
        properties = (attributes.get("itemprop") or "").split()
        inner = holder
        if "itemscope" in attributes:
            if element.mem_id in items:
                _attach(items[element.mem_id], properties, holder, found)
                continue
            if len(items) >= MOST_NODES:
                found.problems.append(f"The microdata has more than {MOST_NODES:,} items: the rest is left out.")
                break
            item = items[element.mem_id] = _item(attributes, values)
            _attach(item, properties, holder, found)
            inner = item
            referred = [named[each] for each in (attributes.get("itemref") or "").split()[:100] if each in named]
            waiting += [(each, item) for each in reversed(referred)]
        elif properties and holder is not None:
            _attach(values.of(element, attributes), properties, holder, found)
        waiting += reversed([(child, inner) for child in children(element)])
    if values.left <= 0:
        found.problems.append("The microdata holds too much text: not all of it is read.")
    return found


def _item(attributes: dict[str, str | None], values: Values) -> Node:
    item: Node = {"@type": [plain_name(each) for each in (attributes.get("itemtype") or "").split()]}
    identifier = (attributes.get("itemid") or "").strip()
    if identifier:
        item["@id"] = values.link(identifier)
    return item


def _attach(value: Node | str, properties: list[str], holder: Node | None, found: Found) -> None:
    """Give a value to the item that it is a property of; an item that is none is on top."""
    if holder is not None and properties:
        for name in properties[:20]:
            holder.setdefault(plain_name(name), []).append(value)
    elif isinstance(value, dict):
        found.graph.add(value)
    if isinstance(value, dict) and "@id" in value:
        found.graph.name(value)
