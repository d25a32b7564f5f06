"""JSON-LD: every block for itself, so that a broken one costs nothing but what can't be understood of it."""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import urljoin

from yellowbook.catalogue.extract.document import Document, Found
from yellowbook.catalogue.extract.lenient import DEEPEST, Unreadable, read_all
from yellowbook.catalogue.extract.nodes import MOST_NODES, Graph, Node, plain_name

_KEYWORDS: Final = frozenset(
    {"@id", "@type", "@graph", "@value", "@language", "@list", "@set", "@reverse", "@context", "@included"}
)
_MARKS: Final = frozenset({"@context", "@graph", "@type"})
_HYDRA: Final = frozenset({"hydra:member", "member"})
_LANGUAGE: Final = re.compile(r"[a-z]{2}(?:-[A-Za-z]{2,8})?|@none")
_ENTITY: Final = re.compile(r"&(?:quot|#34|#x22|#39|apos);", re.IGNORECASE)


def read(document: Document) -> Found:
    """Read the blocks of a page, or a whole document that is JSON-LD."""
    found = Found()
    for number, block in enumerate(_blocks(document), 1):
        try:
            values, repaired = _values(block)
        except Unreadable as error:
            found.problems.append(f"JSON-LD block {number} can't be read: {error}.")
            continue
        if repaired:
            found.problems.append(f"JSON-LD block {number} is broken; it was read as far as it makes sense.")
        reader = _Reader(document.url, found.graph)
        for value in values:
            reader.top(value, _Context())
        if reader.left < 0:
            found.problems.append(f"JSON-LD block {number} has more than {MOST_NODES:,} nodes: the rest is left out.")
    return found


def _blocks(document: Document) -> list[str]:
    if document.tree is None:
        return [document.text] if is_json_ld(document.json) else []
    blocks = []
    for script in document.tree.css("script[type]"):
        kind = (script.attributes.get("type") or "").lower().partition(";")[0].strip()
        if kind in ("application/ld+json", "application/json+ld"):
            text = script.text(deep=True, separator="")
            if text.strip():
                blocks.append(text)
    return blocks


def is_json_ld(value: Any) -> bool:
    """Tell whether a JSON document is JSON-LD, by its keywords; Hydra's collections are better read as feeds."""
    first = value[0] if isinstance(value, list) and value else value
    return isinstance(first, dict) and not _MARKS.isdisjoint(first) and _HYDRA.isdisjoint(first)


def _values(block: str) -> tuple[list[Any], bool]:
    """Read a block; one whose very quotes are entities was escaped once too often."""
    if _ENTITY.search(block) and '"' not in block:
        values, _ = read_all(html.unescape(block))
        return values, True
    return read_all(block)


@dataclass(frozen=True, slots=True)
class _Context:
    """What names mean at one place."""

    #: Keywords and properties by the names that stand for them.
    aliases: Mapping[str, str] = field(default_factory=dict)
    language: str = ""
    #: Whether the names are of another vocabulary.
    foreign: bool = False

    def extended(self, given: Any) -> "_Context":
        context = self
        for each in given if isinstance(given, list) else [given]:
            if isinstance(each, str):
                # Several contexts add up; schema.org among them is enough.
                ours = "schema.org" in each.lower()
                context = replace(context, foreign=not ours and (context.foreign or context is self))
            elif isinstance(each, dict):
                context = context._with_terms(each)
        return context

    def _with_terms(self, terms: Mapping[str, Any]) -> "_Context":
        aliases, language, foreign = dict(self.aliases), self.language, self.foreign
        for term, meaning in terms.items():
            meant = meaning.get("@id") if isinstance(meaning, dict) else meaning
            if term == "@language":
                language = meant if isinstance(meant, str) else ""
            elif term == "@vocab":
                foreign = isinstance(meant, str) and "schema.org" not in meant.lower()
            elif isinstance(meant, str):
                if meant.rstrip("/#").lower().endswith("schema.org"):
                    aliases[term + ":"] = ""
                    foreign = False
                elif meant in _KEYWORDS or plain_name(meant) != meant:
                    aliases[term] = plain_name(meant)
        return _Context(aliases, language, foreign)

    def name(self, name: str) -> str:
        if name in self.aliases:
            return self.aliases[name]
        prefix, colon, rest = name.partition(":")
        if colon and prefix + ":" in self.aliases:
            return rest
        return plain_name(name)


class _Reader:
    """Brings the values of one block into the form of nodes."""

    def __init__(self, base: str, graph: Graph) -> None:
        self._base = base
        self._graph = graph
        self.left = MOST_NODES

    def top(self, value: Any, context: _Context, depth: int = 0) -> None:
        """Add what stands on the outermost level, in a list or in `@graph`."""
        if depth > DEEPEST:
            return
        if isinstance(value, list):
            for each in value:
                self.top(each, context, depth + 1)
        elif isinstance(value, dict):
            context = context.extended(value["@context"]) if "@context" in value else context
            graph = next((each for name, each in value.items() if context.name(name) in ("@graph", "@included")), None)
            if graph is not None:
                self.top(graph, context, depth + 1)
            rest = {name: each for name, each in value.items() if each is not graph and name != "@context"}
            if rest and not context.foreign:
                node = self._node(rest, context, depth)
                if set(node) - {"@id"}:
                    self._graph.add(node)

    def _node(self, value: Mapping[str, Any], context: _Context, depth: int) -> Node:
        self.left -= 1
        node: Node = {}
        for written, inside in value.items():
            name = context.name(written) if isinstance(written, str) else ""
            if name == "@id":
                if isinstance(inside, str) and inside.strip():
                    node["@id"] = self._resolved(inside.strip())
            elif name == "@type":
                named = inside if isinstance(inside, list) else [inside]
                node["@type"] = [context.name(each) for each in named if isinstance(each, str)]
            elif name and not name.startswith("@"):
                values = self._values(inside, context, depth + 1)
                if values:
                    node.setdefault(name, []).extend(values)
        if "@id" in node:
            self._graph.name(node)
        return node

    def _values(self, inside: Any, context: _Context, depth: int) -> list[Any]:
        if depth > DEEPEST or self.left < 0 or inside is None:
            return []
        if isinstance(inside, list):
            return [value for each in inside for value in self._values(each, context, depth + 1)]
        if not isinstance(inside, dict):
            return [{"@value": inside, "@language": context.language}] if context.language else [inside]
        context = context.extended(inside["@context"]) if "@context" in inside else context
        names = {context.name(name): each for name, each in inside.items() if isinstance(name, str)}
        if "@value" in names:
            return [{"@value": names["@value"], "@language": names.get("@language", context.language)}]
        for name in ("@list", "@set"):
            if name in names:
                return self._values(names[name], context, depth + 1)
        if (
            inside
            and all(map(_LANGUAGE.fullmatch, names))
            and not any(isinstance(each, dict) for each in names.values())
        ):
            return [
                {"@value": text, "@language": language}
                for language, texts in names.items()
                for text in (texts if isinstance(texts, list) else [texts])
            ]
        return [self._node(inside, context, depth)]

    def _resolved(self, identifier: str) -> str:
        """Return an absolute id; a blank node's (`_:b0`) stays what it is."""
        if identifier.startswith("_:"):
            return identifier
        try:
            return urljoin(self._base, identifier)
        except ValueError:
            return identifier
