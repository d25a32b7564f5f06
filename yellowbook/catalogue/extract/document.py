"""A fetched document as the parsers see it: decoded once, parsed once."""

import codecs
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from selectolax.lexbor import LexborHTMLParser

from yellowbook.catalogue.extract.lenient import Unreadable, read_all
from yellowbook.catalogue.extract.nodes import Graph

_CHARSET: Final = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE)
#: Bytes of a page in which it may say how it is encoded, by the HTML standard.
_HEAD: Final = 1024
_MARKS: Final = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(slots=True)
class Found:
    """What one parser read: nodes, further pages as they are written, and what went wrong."""

    graph: Graph = field(default_factory=Graph)
    next_pages: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@dataclass
class Document:
    """The bytes of a document, where they are from, and what the server called them."""

    body: bytes
    url: str
    content_type: str = ""

    @cached_property
    def kind(self) -> str:
        """Say what it is: `html`, `json` or `csv`, by what the server says, else by how it begins."""
        named = self.content_type.partition(";")[0].strip().lower()
        if "html" in named:
            return "html"
        if "json" in named:
            return "json"
        if named in ("text/csv", "application/csv", "text/tab-separated-values"):
            return "csv"
        beginning = self.text.lstrip("\ufeff \t\r\n")[:1]
        if beginning and beginning in "{[":
            return "json"
        return (
            "csv" if named == "text/plain" or self.url.partition("?")[0].lower().endswith((".csv", ".tsv")) else "html"
        )

    @cached_property
    def text(self) -> str:
        """Decode by the byte order mark, the server's word, the page's own word; else UTF-8, or Windows-1251."""
        for mark, encoding in _MARKS:
            if self.body.startswith(mark):
                return self.body.decode(encoding, "replace")
        said = _CHARSET.search(self.content_type) or _CHARSET.search(self.body[:_HEAD].decode("latin-1"))
        for encoding in ([said[1]] if said else []) + ["utf-8"]:
            try:
                if codecs.lookup(encoding)._is_text_encoding:
                    return self.body.decode(encoding)
            except (LookupError, UnicodeError, ValueError):
                continue
        # Damaged UTF-8 has few damaged characters; text in Windows-1251 has little else.
        loose = self.body.decode("utf-8", "replace")
        return loose if loose.count("\ufffd") * 20 <= len(loose) else self.body.decode("windows-1251", "replace")

    @cached_property
    def tree(self) -> LexborHTMLParser | None:
        """Parse the HTML; None for what is none."""
        return LexborHTMLParser(self.text) if self.kind == "html" and self.text.strip() else None

    @cached_property
    def json(self) -> Any:
        """Return the JSON of the document, repaired if need be; None for what is none."""
        if self.kind != "json":
            return None
        try:
            values, _ = read_all(self.text)
        except Unreadable:
            return None
        return values[0] if len(values) == 1 else values
