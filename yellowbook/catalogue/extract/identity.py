"""The stable id of a business: what a later visit recognises it by."""

from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import urlsplit

from yellowbook.catalogue.extract.item import LONGEST, IdSource, hash_id
from yellowbook.catalogue.extract.values import line
from yellowbook.catalogue.fetch.site import absolute, host_of, same_site

#: Paths that are the site, not a page of it.
_ROOTS: Final = frozenset({"", "/", "/index.html", "/index.php", "/home", "/mn", "/en", "/mn/", "/en/"})


def identify(
    *, node_id: str, identifiers: Iterable[Any], url: str, page: str, name: str, address: str, alone: bool
) -> tuple[str, IdSource]:
    """Return an id of at most 200 characters and what it is made of: the first of these that there is.

    `node_id`: an address, taken without scheme and `www.` so that a move to https changes nothing, or a name that is
    unique on the site of `page`. `identifiers`: unique on the site. `url`: the business's own page; the site's front
    page only when the business is `alone` on it. Otherwise a hash of name and address.
    """
    if node_id and not node_id.startswith("_:"):
        return _fitting(_without_scheme(node_id, page)), IdSource.NODE
    for identifier in identifiers:
        text = line(identifier, "description")
        if text:
            return _fitting(f"{host_of(page)}:{text}"), IdSource.IDENTIFIER
    own = absolute(url, page) if url else None
    if own and same_site(own, page) and (not _is_root(own) or (alone and _is_root(page))):
        return _fitting(_without_scheme(own, page)), IdSource.URL
    return hash_id(host_of(page), name, address), IdSource.HASH


def _is_root(url: str) -> bool:
    parts = urlsplit(url)
    return parts.path.lower() in _ROOTS and not parts.query


def _without_scheme(identifier: str, page: str) -> str:
    if "://" not in identifier:
        return f"{host_of(page)}:{identifier}"
    scheme, _, rest = identifier.partition("://")
    if scheme.lower() not in ("http", "https"):
        return identifier
    host, slash, path = rest.partition("/")
    return host.lower().removeprefix("www.") + (slash + path).rstrip("/")


def _fitting(identifier: str) -> str:
    identifier = "".join(identifier.split())
    return identifier if len(identifier) <= LONGEST["external_id"] else hash_id(identifier)
