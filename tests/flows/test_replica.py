"""A web server for readers, whose database is a replica: it finds what the primary was told, and changes nothing."""

import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack

import httpx2
import pytest

from tests.flows.house import Houses
from tests.flows.standin import StandIn
from tests.flows.system import System
from tests.flows.waiting import START_DEADLINE
from tests.replica import needs_replica, running_replica
from yellowbook.local.options import ROOT
from yellowbook.local.port import HOST, ReservedPort
from yellowbook.local.process import start

pytestmark = [pytest.mark.flow, needs_replica]

SERVE = (sys.executable, "-m", "granian", "--interface", "wsgi", "--log-level", "warning")


@pytest.fixture
def system(houses: Houses, standin: StandIn) -> Iterator[System]:
    with System(houses.of(standin.settings)) as system:
        yield system


@pytest.fixture
def replica() -> Iterator[ExitStack]:
    """Where the replica is started; closed, it is gone."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def readers(system: System, replica: ExitStack) -> Iterator[httpx2.Client]:
    """A client of the readers' web server."""
    environment = system.house.environment
    url = replica.enter_context(running_replica(environment["DATABASE_URL"]))
    port = ReservedPort()
    web = start(
        "The readers' web server",
        [*SERVE, "--host", HOST, "--port", str(port.number), "yellowbook.wsgi:application"],
        log=system.house.logs / "readers.log",
        environment={**environment, "DATABASE_URL": url},
        directory=ROOT,
    )
    try:
        with httpx2.Client(base_url=f"http://{HOST}:{port.number}", timeout=30, trust_env=False) as client:

            def answers() -> int:
                assert web.poll() is None, web.failure()
                return health(client)

            system.until(lambda: answers() == 200, "the readers' web server is ready", within=START_DEADLINE)
            yield client
    finally:
        web.stop(signal.SIGTERM, grace=5)
        port.release()


def health(client: httpx2.Client) -> int:
    """Return what a load balancer would go by; 0 when nobody listens."""
    try:
        return client.get("/health/ready").status_code
    except httpx2.TransportError:
        return 0


def test_readers_find_at_a_replica_what_was_saved_at_the_primary_and_are_sent_elsewhere_when_it_is_gone(
    system: System, replica: ExitStack, readers: httpx2.Client
) -> None:
    business = system.api.create(name="Номин ресторан", category="Ресторан", description="Цуйван, бууз")
    system.await_job(business["embedding_job"]["id"])
    where = f"/api/yellow-books/{business['id']}"

    def found() -> list[tuple[str, str]]:
        answer = readers.get("/api/search?q=цуйван").json()
        return [(each["business"]["id"], answer["ranking"]) for each in answer["results"]]

    system.until(lambda: found() == [(business["id"], "fused")], "it is found at the replica")
    pages = ("/", "/search?q=бууз", f"/business/{business['id']}", "/sitemap.xml")
    for path in (where, f"{where}/similar", f"{where}/enrichment", "/api/yellow-books", "/metrics", *pages):
        answer = readers.get(path)
        assert answer.status_code == 200, (path, answer.text)
    assert "Номин ресторан" in readers.get(f"/business/{business['id']}").text

    staff = {"Authorization": system.api.http.headers["Authorization"]}
    refused = readers.patch(where, json={"name": "Written at a replica"}, headers=staff)
    assert refused.status_code == 503, refused.text
    assert system.api.http.get(where).json()["name"] == "Номин ресторан"

    replica.close()
    system.until(lambda: health(readers) == 503, "readers are sent elsewhere")
    assert health(system.api.http) == 200
