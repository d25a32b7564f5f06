"""robots.txt by RFC 9309. Protego matches the rules; what the RFC says around them is here.

Rules hold for one origin (scheme, host, port) and may be kept for up to 24 hours (RFC 9309, 2.4). To keep them beyond
a process, keep their text.
"""

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from protego import Protego

from jobs.errors import JobError
from yellowbook.catalogue.fetch.client import PRODUCT, Fetcher
from yellowbook.catalogue.fetch.errors import Denied, Gone, TooManyRedirects
from yellowbook.catalogue.fetch.limits import Limits

#: Bytes that are read; the RFC demands at least as many, what follows is ignored.
SIZE_LIMIT: Final = 500 * 1024
_LIMITS: Final = Limits(seconds=20.0, max_bytes=SIZE_LIMIT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What one site allows us. `text` makes the same rules again: `parse(rules.text)`."""

    text: str
    #: Seconds between two requests that the site asks for, or None. Widely used, though not in the RFC.
    crawl_delay: float | None = None
    #: Addresses of sitemaps, as written.
    sitemaps: tuple[str, ...] = ()
    _matcher: Protego = field(repr=False, compare=False)

    def allowed(self, url: str) -> bool:
        """Tell whether we may fetch `url`, which is on the site that these rules are of."""
        return bool(self._matcher.can_fetch(url, PRODUCT))


def parse(text: str) -> Rules:
    """Read a robots.txt. Lines that make no sense are skipped, so there is nothing that it raises."""
    text = text.removeprefix("\ufeff")
    matcher = Protego.parse(text)
    delay = matcher.crawl_delay(PRODUCT)
    rate = matcher.request_rate(PRODUCT)
    if delay is None and rate is not None and rate.requests > 0:
        delay = rate.seconds / rate.requests
    return Rules(
        text=text,
        crawl_delay=delay if delay is not None and 0 <= delay < float("inf") else None,
        sitemaps=tuple(matcher.sitemaps),
        _matcher=matcher,
    )


#: There is no robots.txt, or nobody may read it: everything is allowed (RFC 9309, 2.3.1.3).
ALLOW_ALL: Final = parse("")
#: The site can't be asked now: nothing is allowed until it can (RFC 9309, 2.3.1.4).
DISALLOW_ALL: Final = parse("User-agent: *\nDisallow: /")


def robots_url(url: str) -> str:
    """Return where the rules for `url` are."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, "/robots.txt", "", ""))


def read_robots(fetcher: Fetcher, url: str) -> Rules:
    """Fetch the rules for the site of `url`.

    4xx and too many redirects: everything is allowed. 5xx, 429, no answer, an address that we do not go to: nothing
    is. 429 counts with these, against the letter of the RFC: a site that has enough of us has not invited us. The
    fetcher's own `before` must let robots.txt through.
    """
    try:
        fetched = fetcher.fetch(robots_url(url), clip=True, limits=_LIMITS)
    except (Gone, Denied, TooManyRedirects):
        return ALLOW_ALL
    except JobError:
        return DISALLOW_ALL
    return parse(fetched.body.decode(errors="replace"))
