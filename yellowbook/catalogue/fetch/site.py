"""What belongs to one site, and the normal form of its addresses."""

from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from yellowbook.catalogue.fetch.addresses import LONGEST_URL

#: Query parameters that say where a visitor came from, not what is shown.
_TRACKING = ("utm_", "fbclid", "gclid", "yclid", "mc_cid", "mc_eid", "_ga")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def host_of(url: str) -> str:
    """Return the host in lower case without a leading `www.`; empty for what has none."""
    try:
        return (urlsplit(url).hostname or "").rstrip(".").removeprefix("www.")
    except ValueError:
        return ""


def same_site(url: str, other: str) -> bool:
    """Tell whether two URLs are of one site: one host, `www.` or not, whatever the scheme."""
    return bool(host_of(url)) and host_of(url) == host_of(other)


def absolute(link: str, base: str) -> str | None:
    """Return `link` as seen from `base`, without fragment and tracking; None for what is no URL that is fetched."""
    try:
        parts = urlsplit(urljoin(base, link.strip()))
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS or not host or "@" in parts.netloc or any(each.isspace() for each in host):
        return None
    netloc = f"[{host}]" if ":" in host else host
    if port is not None and port != _DEFAULT_PORTS[parts.scheme]:
        netloc = f"{netloc}:{port}"
    query = parts.query
    if any(name in query for name in _TRACKING):
        pairs = parse_qsl(query, keep_blank_values=True)
        query = urlencode([(name, value) for name, value in pairs if not name.startswith(_TRACKING)])
    url = urlunsplit((parts.scheme, netloc, parts.path or "/", query, ""))
    return url if len(url) <= LONGEST_URL and url.isprintable() else None
