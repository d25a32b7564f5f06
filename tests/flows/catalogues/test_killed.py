"""Workers that are killed while they lead a seller's listings from the site to the visitors, in every stage."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler

import psycopg
import pytest

from tests.flows.catalogues.seller import ALL, APPROVED, WORKER, publish, register, stages, summary
from tests.flows.conftest import Start
from tests.flows.standin import StandIn
from tests.flows.system import System
from tests.flows.trouble import ask, replace_worker
from tests.yellowbook.catalogue.conftest import Site

pytestmark = pytest.mark.flow

LAST = "index_business"


def test_a_site_goes_live_though_a_worker_is_killed_in_every_stage(start: Start, standin: StandIn, site: Site) -> None:
    system = start(standin)
    standin.say(system.mark, APPROVED)
    replace_worker(system, **WORKER)
    publish(site, system.mark)
    ask(system.api, "POST", f"/api/admin/lanes/{LAST}/pause", {"reason": "its turn comes"})
    struck: dict[str, list[str]] = {}

    with held(site, "/sitemap.xml"):
        started = ask(system.api, "POST", register(system, site.url + "/"), expected=202)
        struck |= strike(system, "sync_source")
    with held(site, "/page/1"):
        system.start_worker(**WORKER)
        struck |= strike(system, "scrape_catalogue")
    standin.take(3)
    for kind in ("generate_embedding", "quality_control"):
        system.start_worker(**WORKER)
        struck |= strike(system, kind)
    standin.take(0)
    system.start_worker(**WORKER)
    system.until(lambda: running_or_waiting(system, LAST), "a listing waits for the last stage")
    with locked(system, "directory_business"):
        ask(system.api, "POST", f"/api/admin/lanes/{LAST}/resume")
        struck |= strike(system, LAST)
    system.start_worker(**WORKER)

    system.until(lambda: stages(system) == {"live": ALL}, "every listing is live")
    told = summary(system, started["id"])
    assert (told["state"], told["new"], told["rejected"]) == ("completed", ALL, 0)
    assert system.sql("SELECT count(*), count(DISTINCT name) FROM directory_business") == [(ALL, ALL)]
    assert system.without_fresh_vector() == 0
    assert len(struck) == 5
    for kind, ids in struck.items():
        ended = {
            state for (state,) in system.sql("SELECT status FROM jobs_jobexecution WHERE id = ANY(%s::uuid[])", ids)
        }
        # A page that can't be read may have been among those in hand.
        assert ids
        assert ended <= {"succeeded", *(["dead"] if kind == "scrape_catalogue" else [])}, kind


def strike(system: System, kind: str) -> dict[str, list[str]]:
    """Kill the only worker while it has jobs of a kind in hand; return those that are still in its hand then."""
    running = "SELECT id::text FROM jobs_jobexecution WHERE kind = %s AND status = 'running'"
    system.until(lambda: system.sql(running, kind), f"{kind} is running")
    (worker,) = system.workers
    system.kill(worker)
    return {kind: [job for (job,) in system.sql(running, kind)]}


def running_or_waiting(system: System, kind: str) -> bool:
    """Tell whether there is a job of a kind that has not ended."""
    return bool(system.sql("SELECT FROM jobs_jobexecution WHERE kind = %s AND finished_at IS NULL LIMIT 1", kind))


@contextmanager
def held(site: Site, path: str) -> Iterator[None]:
    """Have the site keep those waiting who ask for `path`."""
    gate, answer = threading.Event(), site.answers[path]

    def wait(handler: BaseHTTPRequestHandler) -> None:
        gate.wait(30)
        answer(handler)

    site.answers[path] = wait
    try:
        yield
    finally:
        site.answers[path] = answer
        gate.set()


@contextmanager
def locked(system: System, table: str) -> Iterator[None]:
    """Have everybody wait who changes a row of `table`."""
    with ExitStack() as stack:
        other = stack.enter_context(psycopg.connect(system.house.environment["DATABASE_URL"]))
        other.execute(f"SELECT FROM {table} FOR UPDATE")
        yield
        other.rollback()
