"""What microdata and RDFa have in common: walking elements, and the value that an element stands for."""

from collections.abc import Iterator
from typing import Final
from urllib.parse import urljoin

from selectolax.lexbor import LexborNode

#: Which attribute holds the value of an element, by tag; the text does for all others.
_ATTRIBUTES: Final = {
    **dict.fromkeys(("a", "area", "link"), "href"),
    **dict.fromkeys(("audio", "embed", "iframe", "img", "source", "track", "video"), "src"),
    **dict.fromkeys(("data", "meter"), "value"),
    "meta": "content",
    "object": "data",
    "time": "datetime",
}
_LINKS: Final = frozenset({"href", "src", "data"})
#: Elements that begin on a line of their own, so that their text does not run into what stands before.
_BLOCKS: Final = frozenset(
    ("address", "br", "div", "dd", "dt", "h1", "h2", "h3", "h4", "hr", "li", "p", "td", "th", "tr")
)
#: Elements without text that a person would see.
_SILENT: Final = frozenset({"script", "style", "template", "noscript"})
#: Steps from node to node for the texts of one document, and for one of them: elements with values may contain each
#: other, each holds the whole text below it, and pages nest without limit.
MOST_STEPS: Final = 500_000
_STEPS_OF_ONE: Final = 5_000


class Values:
    """Reads the values of elements of one document, as long as that takes no more than `MOST_STEPS`."""

    def __init__(self, base: str) -> None:
        self._base = base
        self.left = MOST_STEPS

    def of(self, element: LexborNode, attributes: dict[str, str | None]) -> str:
        """Return the value: `content` first, then the tag's own attribute, then the text; links are absolute."""
        content = attributes.get("content")
        if content is not None:
            return content
        name = _ATTRIBUTES.get(element.tag or "")
        value = attributes.get(name) if name else None
        if name in _LINKS and value is not None:
            return self.link(value)
        if value is not None:
            return value
        return self._text(element)

    def _text(self, element: LexborNode) -> str:
        parts: list[str] = []
        waiting = [element]
        for _ in range(min(_STEPS_OF_ONE, self.left)):
            if not waiting:
                break
            self.left -= 1
            node = waiting.pop()
            if node.is_text_node:
                parts.append(node.text_content or "")
            elif node.tag not in _SILENT:
                below: list[LexborNode] = []
                child = node.child
                while child is not None and len(below) < _STEPS_OF_ONE:
                    below.append(child)
                    child = child.next
                waiting += reversed(below)
                if node.tag in _BLOCKS:
                    parts.append(" ")
        return " ".join("".join(parts).split())

    def link(self, value: str) -> str:
        """Return an absolute address; what can't be joined stays as it is."""
        try:
            return urljoin(self._base, value.strip())
        except ValueError:
            return value


def children(element: LexborNode) -> Iterator[LexborNode]:
    """Yield the elements directly below one."""
    child = element.child
    while child is not None:
        if child.is_element_node:
            yield child
        child = child.next
