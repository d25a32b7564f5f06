"""Where we go and where we do not: public addresses of web servers only.

The decision is made on addresses, never on names or on how a number is written: whatever `getaddrinfo` makes of
`2130706433`, `0x7f.1` or a name in somebody's DNS is looked at before anything is sent to it.
"""

import ipaddress
import re
import socket
import threading
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Final

import httpx2

from yellowbook.catalogue.fetch.errors import Refused, TooSlow, Unreachable

#: Ports on which the web is served; any other would let a page aim us at mail servers and databases of third parties.
PORTS: Final = frozenset({80, 443, 8080, 8443})
#: Longest URL, in characters. What browsers and servers bear varies; 2,083 was the classic limit, sitemaps allow 2,048.
LONGEST_URL: Final = 2_083

#: A host as it goes over the wire. Underscores are in no standard and in many names.
_HOST: Final = re.compile(rb"[A-Za-z0-9._-]+|\[?[0-9A-Fa-f:.]+\]?")

#: What IPv6 has in use as unicast (RFC 4291, 2.4; IANA's registry). The rest is reserved, local or embeds IPv4.
_UNICAST: Final = ipaddress.ip_network("2000::/3")
#: NAT64 (RFC 6052): what an IPv6-only network's resolver answers for hosts that have IPv4 only.
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
#: Nobody's shop, and yet public for Python, which differs by version: protocol assignments (Oracle's cloud serves its
#: metadata there), relays and tunnels into IPv4, documentation; and Azure's host, reachable from its own machines only.
_EXCLUDED: Final = tuple(
    ipaddress.ip_network(each)
    for each in (
        "192.0.0.0/24",
        "192.88.99.0/24",
        "168.63.129.16/32",
        "2001::/23",
        "2002::/16",
        "2001:db8::/32",
        "3fff::/20",
    )
)

#: Takes a host and a port, returns the addresses as text. Raises `OSError` for a name that is not found.
Resolver = Callable[[str, int], Sequence[str]]


def checked_url(url: str, *, allow_private: bool = False) -> httpx2.URL:
    """Return `url` in normal form, host in ASCII, without fragment.

    Raises `Refused` for a scheme other than http and https, credentials, a missing host, a port that is none of
    `PORTS` (any port with `allow_private`), control characters, or more than `LONGEST_URL` characters.
    """
    if len(url) > LONGEST_URL:
        raise Refused(f"The URL has {len(url):,} characters: at most {LONGEST_URL:,} are followed.")
    try:
        parsed = httpx2.URL(url.strip())
        host, port, scheme, userinfo = parsed.raw_host, parsed.port, parsed.scheme, parsed.userinfo
    except (httpx2.InvalidURL, ValueError, TypeError) as error:
        raise Refused(f"This is no URL: {error}") from error
    if scheme not in ("http", "https"):
        raise Refused(f"Only http and https are fetched, not {scheme[:20] or 'a relative address'!r}.")
    if userinfo:
        raise Refused("A URL with a user name or password in it is not fetched.")
    if not _HOST.fullmatch(host):
        raise Refused("The URL names no host." if not host else "The URL's host is no name and no address.")
    if port == 0 or (not allow_private and port is not None and port not in PORTS):
        raise Refused(f"Port {port} is not fetched from, only {', '.join(map(str, sorted(PORTS)))}.")
    return parsed.copy_with(fragment=None)


def is_public(address: str) -> bool:
    """Tell whether an address is a public unicast one; what embeds an IPv4 address is judged by that."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.scope_id is not None:
            return False
        embedded = ip.ipv4_mapped or (ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF) if ip in _NAT64 else None)
        if embedded is not None:
            return is_public(str(embedded))
        if ip not in _UNICAST:
            return False
    # `is_global` alone is not enough: it is true for multicast.
    return ip.is_global and not ip.is_multicast and not ip.is_reserved and not any(ip in each for each in _EXCLUDED)


def system_resolver(host: str, port: int) -> list[str]:
    """Ask the system."""
    return list(dict.fromkeys(str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))


def checked_addresses(
    host: str, port: int, *, resolver: Resolver, allow_private: bool, timeout: float
) -> Sequence[str]:
    """Look a host up, once, and return its addresses, all of which may be connected to.

    One address that is not public refuses the host: a mixture is either a mistake or an attempt. With `allow_private`,
    private and loopback ones will do too. Raises `Refused`, `Unreachable` when there is none, `TooSlow` after `timeout`
    seconds.
    """
    try:
        addresses = _within(timeout, lambda: resolver(host, port))
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"{host} was not found: {error}") from error
    if not addresses:
        raise Unreachable(f"{host} has no address.")
    for address in addresses:
        if not is_public(address) and not (allow_private and _is_inside(address)):
            raise Refused(f"{host} leads to {address}, which is no public address.")
    return addresses


def _is_inside(address: str) -> bool:
    """Tell whether an address is a private or loopback one. Link-local ones, where clouds keep secrets, are not."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    return ip.is_private and not ip.is_link_local


def _within(timeout: float, look_up: Callable[[], Sequence[str]]) -> Sequence[str]:
    """Run what has no timeout of its own in a thread; one that does not come back is left behind until it does."""
    answers: SimpleQueue[Sequence[str] | Exception] = SimpleQueue()

    def run() -> None:
        try:
            answers.put(look_up())
        except Exception as error:
            # Raised again where it is waited for.
            answers.put(error)

    threading.Thread(target=run, daemon=True, name="resolve").start()
    try:
        answer = answers.get(timeout=max(timeout, 0.0))
    except Empty:
        raise TooSlow(f"The name was not looked up within {timeout:.1f} s.") from None
    if isinstance(answer, Exception):
        raise answer
    return answer
