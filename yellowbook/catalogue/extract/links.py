"""Where a site goes on: the next page of a list, and the pages of what the list names."""

from collections.abc import Iterable, Iterator
from typing import Final

from yellowbook.catalogue.extract.document import Document
from yellowbook.catalogue.extract.nodes import Graph, types
from yellowbook.catalogue.fetch.site import absolute, same_site

#: Further pages of one document that are named.
MOST: Final = 1_000


def rel_next(document: Document) -> Iterator[str]:
    """Yield the addresses that a page links to as the next of a list."""
    if document.tree is not None:
        for element in document.tree.css("link[rel], a[rel]"):
            attributes = element.attributes
            if "next" in (attributes.get("rel") or "").lower().split() and attributes.get("href"):
                yield attributes["href"] or ""


def listed(graph: Graph) -> Iterator[str]:
    """Yield the pages of an ItemList's entries that say no more than where they are, and hydra's next page."""
    for node in graph.reachable():
        if "ItemList" in types(node) or "itemListElement" in node:
            for value in graph.values(node, "itemListElement"):
                if isinstance(value, str):
                    yield value
                elif isinstance(value, dict):
                    yield from _entry(graph, value)
        for place in (node, *graph.nodes(node, "hydra:view", "view")):
            for name in ("hydra:next", "next"):
                yield from _addresses(graph, place, name)


def _entry(graph: Graph, entry: dict[str, object]) -> Iterator[str]:
    yield from _addresses(graph, entry, "url")
    for value in graph.values(entry, "item"):
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            yield from _addresses(graph, value, "url")
            if not value.get("url") and isinstance(value.get("@id"), str):
                yield value["@id"]


def _addresses(graph: Graph, node: dict[str, object], name: str) -> Iterator[str]:
    for value in graph.values(node, name):
        told = value.get("@value", value.get("@id")) if isinstance(value, dict) else value
        if isinstance(told, str):
            yield told


def within_site(links: Iterable[str], page: str) -> list[str]:
    """Return the links that stay on the site of `page`, absolute, each once, without `page` itself."""
    kept: dict[str, None] = {}
    here = absolute(page, page)
    for link in links:
        url = absolute(link, page)
        if url is not None and url != here and same_site(url, page):
            kept[url] = None
            if len(kept) >= MOST:
                break
    return list(kept)
