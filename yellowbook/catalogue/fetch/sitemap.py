"""Sitemaps (sitemaps.org 0.9): lists of a site's pages, and lists of such lists.

Read by expat directly, as a stream: a document type is refused at its first character, so entities are never declared,
and reading stops where enough has been seen.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final
from xml.parsers import expat

from jobs.errors import JobError
from yellowbook.catalogue.fetch.body import unpacked
from yellowbook.catalogue.fetch.limits import Limits
from yellowbook.catalogue.fetch.site import absolute, same_site

#: Entries that one file may have, by the protocol; what follows is left out.
MOST_ENTRIES: Final = 50_000
#: Characters of one element's text that are kept.
_LONGEST_TEXT: Final = 4_096
_WANTED: Final = frozenset({"loc", "lastmod"})


@dataclass(frozen=True, slots=True)
class Page:
    """One page that a sitemap names; `changed` is a date or a time in ISO 8601 as written, None when not given."""

    url: str
    changed: str | None = None


@dataclass(slots=True)
class Sitemap:
    """What one or several files say. Only addresses of the site itself, each once, in order."""

    pages: list[Page] = field(default_factory=list)
    #: Further sitemaps that an index names.
    sitemaps: list[str] = field(default_factory=list)
    #: What could not be read or was left out, for people.
    problems: list[str] = field(default_factory=list)


class _Enough(Exception):
    """Ends the reading of a file early; says why."""


def parse_sitemap(body: bytes, url: str, *, limits: Limits | None = None, most: int = MOST_ENTRIES) -> Sitemap:
    """Read a file fetched from `url`: XML, one address per line, or either of them packed with gzip.

    A file that breaks off is read up to there. Raises nothing but `fetch.errors.TooLarge`, `Unreachable` and
    `Unreadable`, for a packed one.
    """
    body = unpacked(body, limits or Limits())
    found = _Reader(url, most)
    if body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
        found.read_xml(body)
    else:
        found.read_lines(body)
    return found.sitemap


def read_sitemaps(
    get: Callable[[str], bytes], roots: Iterable[str], *, most_pages: int = MOST_ENTRIES, most_files: int = 100
) -> Sitemap:
    """Follow sitemap indexes from `roots`, getting each file by `get`, until the pages or the files are enough.

    A file that fails with a `JobError` or that can't be read is noted in `problems` and costs only itself; when all
    fail, the last error is raised.
    """
    total = Sitemap()
    waiting, asked = list(dict.fromkeys(roots)), set[str]()
    known: set[str] = set()
    failure: JobError | None = None
    read = 0
    while waiting and len(total.pages) < most_pages:
        url = waiting.pop(0)
        if url in asked:
            continue
        if len(asked) >= most_files:
            total.problems.append(f"More than {most_files} sitemaps: the rest is left out.")
            break
        asked.add(url)
        try:
            part = parse_sitemap(get(url), url)
        except JobError as error:
            failure = error
            total.problems.append(f"{url}: {error}")
            continue
        read += 1
        total.problems += part.problems
        total.sitemaps += part.sitemaps
        waiting += part.sitemaps
        for page in part.pages:
            if page.url not in known and len(total.pages) < most_pages:
                known.add(page.url)
                total.pages.append(page)
    if failure is not None and not read:
        raise failure
    return total


class _Reader:
    """Collects the entries of one file."""

    def __init__(self, url: str, most: int) -> None:
        self.sitemap = Sitemap()
        self._url = url
        self._most = most
        self._known: set[str] = set()
        self._foreign = self._entries = 0
        self._text: list[str] | None = None
        self._length = 0
        self._values: dict[str, str] = {}

    def read_xml(self, body: bytes) -> None:
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        try:
            parser.Parse(body, True)
        except expat.ExpatError as error:
            self.sitemap.problems.append(f"{self._url}: the XML breaks off or is damaged: {error}")
        except _Enough as reason:
            self.sitemap.problems.append(f"{self._url}: {reason}")
        except (LookupError, ValueError) as error:
            # Python looks encodings up that expat does not know, and some of those can't be used.
            self.sitemap.problems.append(f"{self._url}: the encoding of the XML can't be read: {error}")
        self._conclude()

    def read_lines(self, body: bytes) -> None:
        try:
            for line in body.decode("utf-8-sig", errors="replace").splitlines():
                if line.strip().startswith(("http://", "https://")):
                    self._add(line.strip(), None, to_pages=True)
        except _Enough as reason:
            self.sitemap.problems.append(f"{self._url}: {reason}")
        self._conclude()

    def _conclude(self) -> None:
        if self._foreign:
            self.sitemap.problems.append(f"{self._url}: {self._foreign} addresses of other sites are left out.")

    def _doctype(self, *_: object) -> None:
        raise _Enough("the XML declares a document type, which no sitemap needs: it is not read")

    def _start(self, name: str, _: object) -> None:
        name = _local(name)
        if name in ("url", "sitemap"):
            self._values = {}
        self._text = [] if name in _WANTED else None
        self._length = 0

    def _characters(self, text: str) -> None:
        if self._text is not None and self._length < _LONGEST_TEXT:
            self._text.append(text)
            self._length += len(text)

    def _end(self, name: str) -> None:
        name = _local(name)
        if name in _WANTED and self._text is not None:
            self._values.setdefault(name, "".join(self._text).strip())
        elif name in ("url", "sitemap") and "loc" in self._values:
            self._add(self._values["loc"], _moment(self._values.get("lastmod")), to_pages=name == "url")
            self._values = {}
        self._text = None

    def _add(self, location: str, changed: str | None, *, to_pages: bool) -> None:
        self._entries += 1
        if self._entries > self._most:
            raise _Enough(f"it has more than {self._most:,} entries: the rest is left out")
        url = absolute(location, self._url)
        if url is None or not same_site(url, self._url):
            self._foreign += 1
        elif url not in self._known:
            self._known.add(url)
            if to_pages:
                self.sitemap.pages.append(Page(url, changed))
            else:
                self.sitemap.sitemaps.append(url)


def _local(name: str) -> str:
    return name.rpartition(" ")[2].lower()


def _moment(text: str | None) -> str | None:
    """Return a date or a time as written when it is one."""
    for read in (date.fromisoformat, datetime.fromisoformat):
        try:
            read(text or "")
        except ValueError:
            continue
        return text
    return None
