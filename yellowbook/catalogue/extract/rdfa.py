"""RDFa Lite 1.1 (vocab, typeof, property, resource, prefix) with `about`, `content` and `datetime`: what sellers write.

Full RDFa has more, and its library loses the whole page over one address that can't be read.
"""

from typing import Final, NamedTuple

from selectolax.lexbor import LexborNode

from yellowbook.catalogue.extract.document import Document, Found
from yellowbook.catalogue.extract.markup import Values, children
from yellowbook.catalogue.extract.nodes import MOST_NODES, Node, plain_name

#: Prefixes that need no declaration.
_PREFIXES: Final = {"schema": "http://schema.org/", "sdo": "https://schema.org/"}


class _Place(NamedTuple):
    """An element still to be read, and what holds there."""

    element: LexborNode
    holder: Node | None
    vocabulary: str
    prefixes: dict[str, str]


def read(document: Document) -> Found:
    """Read the resources of a page that are of schema.org."""
    found = Found()
    if document.tree is None or document.tree.root is None or "typeof" not in document.text.lower():
        return found
    values = Values(document.url)
    waiting = [_Place(document.tree.root, None, "", _PREFIXES)]
    nodes = 0
    while waiting:
        element, holder, vocabulary, prefixes = waiting.pop()
        attributes = element.attributes
        if attributes.get("vocab") is not None:
            vocabulary = (attributes.get("vocab") or "").strip()
        if attributes.get("prefix"):
            prefixes = prefixes | _declared(attributes["prefix"] or "")
        names, kinds = (
            [name for each in (attributes.get(key) or "").split()[:20] if (name := _name(each, vocabulary, prefixes))]
            for key in ("property", "typeof")
        )
        inner = holder
        if "typeof" in attributes:
            nodes += 1
            if nodes > MOST_NODES:
                found.problems.append(f"The RDFa has more than {MOST_NODES:,} resources: the rest is left out.")
                break
            inner = {"@type": kinds}
            identifier = (attributes.get("resource") or attributes.get("about") or "").strip()
            if identifier:
                inner["@id"] = values.link(identifier)
                found.graph.name(inner)
            if holder is not None and names:
                _attach(holder, names, inner)
            elif inner["@type"]:
                found.graph.add(inner)
        elif names and holder is not None:
            resource = (attributes.get("resource") or "").strip()
            _attach(holder, names, {"@id": values.link(resource)} if resource else values.of(element, attributes))
        waiting += reversed([_Place(child, inner, vocabulary, prefixes) for child in children(element)])
    if values.left <= 0:
        found.problems.append("The RDFa holds too much text: not all of it is read.")
    return found


def _attach(holder: Node, names: list[str], value: Node | str) -> None:
    for name in names:
        holder.setdefault(name, []).append(value)


def _declared(text: str) -> dict[str, str]:
    """Read `prefix="schema: http://schema.org/ ..."`."""
    words = text.split()[:40]
    pairs = zip(words[::2], words[1::2], strict=False)
    return {prefix.removesuffix(":").lower(): address for prefix, address in pairs if prefix.endswith(":")}


def _name(written: str, vocabulary: str, prefixes: dict[str, str]) -> str:
    """Return the plain name of a type or property of schema.org; empty for one of another vocabulary."""
    prefix, colon, rest = written.partition(":")
    if not colon:
        full = vocabulary + written
    elif rest.startswith("//"):
        full = written
    else:
        full = prefixes.get(prefix.lower(), "other:") + rest
    name = plain_name(full)
    return name if name != full else ""
