"""A seller's site, with whatever sites have, goes live by itself; what did not change is left as it is."""

from typing import Any

import pytest

from tests.flows.catalogues.seller import (
    ALL,
    APPROVED,
    LISTINGS,
    PAGES,
    USELESS,
    WORKER,
    name_of,
    publish,
    publish_page,
    register,
    stages,
    sync,
)
from tests.flows.conftest import Start
from tests.flows.standin import StandIn
from tests.flows.system import System
from tests.flows.trouble import ask, replace_worker
from tests.yellowbook.catalogue.conftest import Site
from tests.yellowbook.catalogue.syncing.support import page

pytestmark = pytest.mark.flow

#: What is written for a business on its way from a page to a visitor.
TABLES = (
    *("catalogue_listing", "directory_business", "embeddings_embedding"),
    *("search_document", "similarity_similarity", "jobs_jobexecution"),
)


def test_a_site_goes_live_and_what_did_not_change_is_never_written_again(
    start: Start, standin: StandIn, site: Site
) -> None:
    system = start(standin)
    standin.say(system.mark, APPROVED)
    replace_worker(system, **WORKER)
    publish(site, system.mark)
    path = register(system, site.url + "/")

    told = sync(system, path)
    system.until(lambda: stages(system) == {"live": ALL}, "every listing is live")

    assert (told["state"], told["new"], told["rejected"], told["changed"]) == ("completed", ALL, 0, 0)
    assert (told["pages"]["failed"], told["pages"]["read"]) == (len(USELESS), PAGES + 3)
    assert system.sql("SELECT count(*), count(DISTINCT name) FROM directory_business") == [(ALL, ALL)]
    assert system.without_fresh_vector() == 0
    checkers = "SELECT DISTINCT verdict->>'checker', verdict->>'decision' FROM catalogue_listing"
    assert system.sql(checkers) == [("gemini-2.5-flash", "approved")]
    for number in (PAGES - 1, PAGES):
        name = name_of(system.mark, number, LISTINGS - 1)
        system.until(lambda: first_found(system, name) == name, f"{name} is found")  # noqa: B023

    site.serve("/500", page())
    calls, rows = settled(system, standin)
    again = sync(system, path)
    assert (again["new"], again["changed"], again["vanished"], again["pages"]["unchanged"]) == (0, 0, 0, PAGES + 3)
    assert settled(system, standin) == (calls, rows)

    publish_page(site, system.mark, 1, description="Одоо цайны газар")
    again = sync(system, path)
    assert (again["new"], again["changed"], again["unchanged"]) == (0, 1, ALL - 1)
    more, now = settled(system, standin)
    assert more == calls + 2, "one text to embed, one to judge"
    written = {table: len(now[table] - rows[table]) for table in TABLES[:3]}
    assert written == dict.fromkeys(TABLES[:3], 1)


def first_found(system: System, text: str) -> str:
    """Search, and return the name of the first business."""
    found = ask(system.api, "GET", f"/api/search?q={text}")["results"]
    return str(found[0]["business"]["name"]) if found else ""


def settled(system: System, standin: StandIn) -> tuple[int, dict[str, set[Any]]]:
    """Wait until there is nothing left to do; return the texts that were sent, and the version of every row.

    The jobs that look at the site itself do not count.
    """
    system.until(lambda: not set(system.jobs()) - {"succeeded", "dead"}, "nothing is left to do")
    versions = (
        "SELECT xmin::text, ctid::text FROM {} AS row"
        " WHERE coalesce(to_jsonb(row)->>'kind', '') NOT IN ('sync_source', 'scrape_catalogue')"
    )
    return standin.texts(system.mark).total(), {table: set(system.sql(versions.format(table))) for table in TABLES}
