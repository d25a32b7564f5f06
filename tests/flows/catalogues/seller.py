"""A seller with a site of many pages, some of them of no use, and the system that goes over it."""

import time
from http.server import BaseHTTPRequestHandler
from typing import Any, Final

from tests.flows.system import System
from tests.flows.trouble import ask
from tests.yellowbook.catalogue.conftest import Site
from tests.yellowbook.catalogue.syncing.support import page, shop, sitemap

#: Pages with JSON-LD, and listings on each; one more page has as many in microdata.
PAGES: Final = 4
LISTINGS: Final = 5
ALL: Final = (PAGES + 1) * LISTINGS
#: Pages that can't be read.
USELESS: Final = ("/500", "/loop", "/big", "/private")
WORKER: Final[dict[str, Any]] = {
    "CATALOGUE_ALLOW_PRIVATE": "1",
    "CATALOGUE_PAGE_BYTES": "200000",
    "CATALOGUE_TIMEOUT": "5",
    "LLM_RPM": "0",
    "LLM_TPM": "0",
    "LLM_RPD": "0",
}
#: What the stand-in says of every listing.
APPROVED: Final = '{"reasons": [], "decision": "approved", "confidence": 0.9}'


def name_of(mark: str, number: int, each: int) -> str:
    """Return the name of a restaurant; no two are of the same words."""
    return f"{mark} Хаан ресторан {number}{'абвгд'[each]}"


def restaurant(mark: str, number: int, each: int) -> dict[str, Any]:
    """Return a restaurant in a town of its own, so that it is no duplicate of one that is called much the same."""
    address = {"@type": "PostalAddress", "streetAddress": "Төв гудамж 1", "addressLocality": f"Сум {number}-{each}"}
    return shop(name_of(mark, number, each), telephone=f"+976 7{number:03}{each:04}", address=address)


def microdata(*shops: dict[str, Any]) -> bytes:
    """Return a page that tells of restaurants by microdata, so without JSON-LD."""
    items = "".join(
        f'<div itemscope itemtype="https://schema.org/Restaurant" itemid="{each["@id"]}">'
        f'<h2 itemprop="name">{each["name"]}</h2><p itemprop="description">{each["description"]}</p>'
        f'<span itemprop="telephone">{each["telephone"]}</span>'
        '<div itemprop="address" itemscope itemtype="https://schema.org/PostalAddress">'
        f'<span itemprop="streetAddress">{each["address"]["streetAddress"]}</span>'
        f'<span itemprop="addressLocality">{each["address"]["addressLocality"]}</span></div></div>'
        for each in shops
    )
    return f"<!doctype html><html><body>{items}</body></html>".encode()


def publish(site: Site, mark: str) -> None:
    """Have a site of many pages: half of them in its sitemap, the rest by paging, and some that are of no use."""
    paths = ["/", *(f"/page/{number}" for number in range(1, PAGES))]
    for number in range(PAGES):
        publish_page(site, mark, number)
    site.serve("/microdata", microdata(*[restaurant(mark, PAGES, each) for each in range(LISTINGS)]))
    sitemap(site, "/", *paths[1 : PAGES // 2], "/microdata", "/slow", "/broken", *USELESS)

    site.serve("/slow", page())
    at_once = site.answers["/slow"]

    def slow(handler: BaseHTTPRequestHandler) -> None:
        # Shorter than CATALOGUE_TIMEOUT: slow, but in time.
        time.sleep(3)
        at_once(handler)

    site.answers["/slow"] = slow
    site.serve("/broken", b'<script type="application/ld+json">{"@type": "Restaurant", "name": </script>')
    site.serve("/500", status=500)
    site.redirect("/loop", "/loop")
    site.serve("/big", b" " * 300_000)
    # Refused even with CATALOGUE_ALLOW_PRIVATE, without which a site on loopback could not be read.
    site.redirect("/private", "http://169.254.169.254/")


def publish_page(site: Site, mark: str, number: int, **changes: str) -> None:
    """Have a page of restaurants that leads to the next one; `changes` are what it says else of the first of them."""
    first, *others = [restaurant(mark, number, each) for each in range(LISTINGS)]
    links = f'<link rel="next" href="/page/{number + 1}">' if number < PAGES - 1 else ""
    tag = f'"{number}{sorted(changes)}"'
    site.serve(f"/page/{number}" if number else "/", page({**first, **changes}, *others, links=links), ETag=tag)


def register(system: System, url: str) -> str:
    """Register a catalogue by the API; return the address under which it is synced."""
    given = {"name": "Номин", "requests_per_minute": 6_000}
    seller = ask(system.api, "POST", "/api/catalogue/sellers", given, expected=201)
    given = {"seller_id": seller["id"], "url": url, "is_active": False}
    source = ask(system.api, "POST", "/api/catalogue/sources", given, expected=201)
    return f"/api/catalogue/sources/{source['id']}/sync"


def sync(system: System, path: str) -> dict[str, Any]:
    """Sync a catalogue, wait for the end of that, and return what became of it."""
    return summary(system, ask(system.api, "POST", path, expected=202)["id"])


def summary(system: System, sync_id: str) -> dict[str, Any]:
    """Wait for the end of a sync and return what became of it."""

    def ended() -> dict[str, Any]:
        told: dict[str, Any] = ask(system.api, "GET", f"/api/catalogue/syncs/{sync_id}")
        return told if told["finished_at"] else {}

    return system.until(ended, "the sync has ended")


def stages(system: System) -> dict[str, int]:
    """Count the listings by stage."""
    return dict(system.sql("SELECT stage, count(*) FROM catalogue_listing GROUP BY stage"))
