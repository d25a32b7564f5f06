"""Nodes of schema.org, in the one form that every parser brings them into.

A node is a dict: `@id` is a text, `@type` a list of names, every other key the plain name of a property (`name`, not
`schema:name`) with a list of values. A value is a text, a number, a truth value, another node, or a text in a language,
as `{"@value": ..., "@language": ...}`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

Node = dict[str, Any]

#: Nodes of one document that are looked at.
MOST_NODES: Final = 50_000
#: Which language is taken when a text is there in several; a text of no stated language comes after the first.
LANGUAGES: Final = ("mn", "", "en")
#: The properties through which one gets from a node to the businesses that a page is about. Not among them: who wrote,
#: reviewed, made or sponsored something.
PATHS: Final = (
    *("mainEntity", "mainEntityOfPage", "about", "itemListElement", "item", "dataFeedElement", "member", "hasPart"),
    *("department", "subOrganization", "containsPlace", "offers", "seller", "offeredBy", "provider"),
)
_PREFIXES: Final = ("https://schema.org/", "http://schema.org/", "https://www.schema.org/", "http://www.schema.org/")


def plain_name(name: str) -> str:
    """Return a type or property without schema.org's address or prefix in front of it."""
    for prefix in (*_PREFIXES, "schema:", "sdo:", "schema.org/"):
        if name.startswith(prefix):
            return name.removeprefix(prefix).strip("/#")
    return name


@dataclass(slots=True)
class Graph:
    """The nodes of one document: those on top, and all that can be referred to."""

    roots: list[Node] = field(default_factory=list)
    by_id: dict[str, Node] = field(default_factory=dict)

    def add(self, root: Node) -> None:
        """Add a node that no other one contains."""
        self.roots.append(root)

    def name(self, node: Node) -> None:
        """Have a node found by its `@id`; what several nodes of one id say is put together."""
        known = self.by_id.setdefault(node["@id"], node)
        if known is not node:
            for key, value in node.items():
                if key == "@type":
                    known[key] = list(dict.fromkeys([*known.get(key, []), *value]))
                else:
                    known.setdefault(key, value)

    def whole(self, node: Node) -> Node:
        """Return the node that is meant: for a mere reference the one that it refers to."""
        known = self.by_id.get(node.get("@id", ""), node)
        return known if known is not node and set(node) <= {"@id", "@type"} else node

    def values(self, node: Node, *names: str) -> list[Any]:
        """Return the values of the first property that has some, references followed."""
        for name in names:
            values = node.get(name)
            if isinstance(values, list) and values:
                return [self.whole(value) if isinstance(value, dict) else value for value in values]
        return []

    def nodes(self, node: Node, *names: str) -> list[Node]:
        """Return the nodes among all values of some properties."""
        return [each for name in names for each in self.values(node, name) if is_node(each)]

    def texts(self, node: Node, *names: str) -> list[Any]:
        """Return what is no node, in the best language that there is."""
        return in_one_language(value for value in self.values(node, *names) if not is_node(value))

    def text(self, node: Node, *names: str) -> Any:
        """Return the first of `texts`, or of the name of a node that stands there instead; None without any."""
        for name in names:
            found = self.texts(node, name) or [
                text for each in self.nodes(node, name) for text in self.texts(each, "name")
            ]
            if found:
                return found[0]
        return None

    def reachable(self) -> Iterator[Node]:
        """Yield the nodes on top and what they lead to by `PATHS`, each once, in order."""
        waiting = list(reversed(self.roots))
        seen: set[int] = set()
        while waiting:
            node = self.whole(waiting.pop())
            if id(node) in seen:
                continue
            seen.add(id(node))
            yield node
            waiting += reversed(self.nodes(node, *PATHS))


def is_node(value: Any) -> bool:
    """Tell a node from a value."""
    return isinstance(value, dict) and "@value" not in value


def types(node: Node) -> list[str]:
    """Return the plain names of a node's types."""
    return [plain_name(each) for each in node.get("@type", []) if isinstance(each, str)]


def in_one_language(values: Iterable[Any]) -> list[Any]:
    """Return the values in the most wanted language, without its tag; in any language when none is wanted."""
    by_language: dict[str, list[Any]] = {}
    for value in values:
        if isinstance(value, dict):
            language = str(value.get("@language") or "").lower().partition("-")[0]
            by_language.setdefault(language, []).append(value.get("@value"))
        else:
            by_language.setdefault("", []).append(value)
    wanted = next((each for each in LANGUAGES if each in by_language), None)
    chosen = by_language[wanted] if wanted is not None else next(iter(by_language.values()), [])
    return [value for value in chosen if isinstance(value, str | int | float)]
