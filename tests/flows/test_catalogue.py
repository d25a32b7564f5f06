"""A seller's site, and what becomes of it, with real workers: one of them is killed on the way."""

import time
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from tests.flows.conftest import Start
from tests.flows.standin import StandIn
from tests.flows.system import System
from tests.flows.trouble import ask, replace_worker
from tests.yellowbook.catalogue.conftest import Site, site  # noqa: F401 a fixture
from tests.yellowbook.catalogue.syncing.support import page, shop, sitemap

pytestmark = pytest.mark.flow

#: Pages, and listings on each.
PAGES, LISTINGS = 8, 5
WORKER: dict[str, Any] = {
    "CATALOGUE_ALLOW_PRIVATE": "1",
    "CATALOGUE_PAGE_BYTES": "200000",
    "CATALOGUE_TIMEOUT": "5",
    "LLM_RPM": "0",
    "LLM_TPM": "0",
    "LLM_RPD": "0",
}


def restaurant(mark: str, number: int, each: int) -> dict[str, Any]:
    """Return a restaurant in a town of its own, so that it is no duplicate of one that is called much the same."""
    address = {"@type": "PostalAddress", "streetAddress": "Төв гудамж 1", "addressLocality": f"Сум {number}-{each}"}
    return shop(f"{mark} Хаан ресторан {number}-{each}", telephone=f"+976 7{number:03}{each:04}", address=address)


def publish(site: Site, mark: str) -> None:  # noqa: F811
    """Have a site of many pages, and some that are of no use."""
    paths = ["/", *(f"/page/{number}" for number in range(1, PAGES))]
    for number, path in enumerate(paths):
        shops = [restaurant(mark, number, each) for each in range(LISTINGS)]
        links = f'<link rel="next" href="/page/{number + 1}">' if number < PAGES - 1 else ""
        site.serve(path, page(*shops, links=links), ETag=f'"{number}"')
    sitemap(site, "/", *paths[1 : PAGES // 2], "/slow", "/broken", "/500", "/loop", "/big", "/private")

    site.serve("/slow", page())
    at_once = site.answers["/slow"]

    def slow(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(3)
        at_once(handler)

    site.answers["/slow"] = slow
    site.serve("/broken", b'<script type="application/ld+json">{"@type": "Restaurant", "name": </script>')
    site.serve("/500", status=500)
    site.redirect("/loop", "/loop")
    site.serve("/big", b" " * 300_000)
    site.redirect("/private", "http://10.0.0.1/")


def register(system: System, url: str) -> str:
    """Register a catalogue by the API; return the address under which it is synced."""
    given = {"name": "Номин", "requests_per_minute": 6_000}
    seller = ask(system.api, "POST", "/api/catalogue/sellers", given, expected=201)
    given = {"seller_id": seller["id"], "url": url, "is_active": False}
    source = ask(system.api, "POST", "/api/catalogue/sources", given, expected=201)
    return f"/api/catalogue/sources/{source['id']}/sync"


def summary(system: System, sync_id: str) -> dict[str, Any]:
    """Wait for the end of a sync and return what became of it."""

    def ended() -> dict[str, Any]:
        told: dict[str, Any] = ask(system.api, "GET", f"/api/catalogue/syncs/{sync_id}")
        return told if told["finished_at"] else {}

    return system.until(ended, "the sync has ended")


def stages(system: System) -> dict[str, int]:
    """Count the listings by stage."""
    return dict(system.sql("SELECT stage, count(*) FROM catalogue_listing GROUP BY stage"))


def test_a_site_goes_live_though_a_worker_is_killed_in_every_stage(
    start: Start,
    standin: StandIn,
    site: Site,  # noqa: F811
) -> None:
    standin.take(0.3)
    system = start(standin)
    standin.say(system.mark, '{"reasons": [], "decision": "approved", "confidence": 0.9}')
    replace_worker(system, **WORKER)
    publish(site, system.mark)
    path = register(system, site.url + "/")
    sync = ask(system.api, "POST", path, expected=202)

    for table, stage in (("catalogue_page", "state = 'read'"), ("catalogue_listing", "stage <> 'embedding'")):
        system.until(lambda: system.sql(f"SELECT FROM {table} WHERE {stage} LIMIT 1"), stage)  # noqa: B023
        (worker,) = system.workers
        system.kill(worker)
        system.start_worker(**WORKER)
    system.until(lambda: stages(system) == {"live": PAGES * LISTINGS}, "every listing is live")

    (sync,) = ask(system.api, "GET", "/api/catalogue/syncs")["results"]
    system.until(
        lambda: ask(system.api, "GET", f"/api/catalogue/syncs/{sync['id']}")["state"] == "completed", "summary"
    )
    told = ask(system.api, "GET", f"/api/catalogue/syncs/{sync['id']}")
    assert (told["new"], told["rejected"], told["changed"]) == (PAGES * LISTINGS, 0, 0)
    assert (told["pages"]["failed"], told["pages"]["read"]) == (4, PAGES + 2)
    assert system.sql("SELECT count(*), count(DISTINCT name) FROM directory_business") == [(PAGES * LISTINGS,) * 2]
    assert system.without_fresh_vector() == 0
    checkers = "SELECT DISTINCT verdict->>'checker', verdict->>'decision' FROM catalogue_listing"
    assert system.sql(checkers) == [("gemini-2.5-flash", "approved")]
    found = ask(system.api, "GET", f"/api/search?q={system.mark} Хаан ресторан 7-3")["results"]
    assert found[0]["business"]["name"] == f"{system.mark} Хаан ресторан 7-3"

    texts, jobs = standin.texts(system.mark).total(), system.results()
    site.serve("/500", page())
    again = summary(system, ask(system.api, "POST", path, expected=202)["id"])
    assert (again["new"], again["changed"], again["vanished"]) == (0, 0, 0)
    assert standin.texts(system.mark).total() == texts
    assert system.results()["embedded"] == jobs["embedded"]
