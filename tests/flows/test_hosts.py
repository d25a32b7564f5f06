"""Workers on several hosts: each has its own name, network and numbers of processes, and may disappear as a whole."""

from collections.abc import Iterator

import pytest

from tests.flows.house import Houses
from tests.flows.network import Host, needs_hosts
from tests.flows.standin import StandIn
from tests.flows.system import System
from tests.flows.waiting import START_DEADLINE
from tests.flows.worker import Worker

pytestmark = [pytest.mark.flow, needs_hosts]

#: Texts of one call, so that there are calls for everybody.
BATCH = "10"
#: What a host reaches over its network, by the settings that say where.
SERVERS = ("DATABASE_URL", "REDIS_URL", "GEMINI_BASE_URL")


class Hosts(System):
    """A system whose workers are on hosts of their own."""

    def __enter__(self) -> "Hosts":
        super().__enter__()
        return self

    def _hire_first(self) -> None:
        self.house.dismiss()

    def boot(self, name: str) -> tuple[Host, Worker]:
        """Start a host with a worker on it, without waiting until it is ready."""
        host = self._stack.enter_context(Host(name))
        where = {setting: host.relayed(self.house.environment[setting]) for setting in SERVERS}
        worker = self.house.start_worker({**where, "EMBEDDING_BATCH_SIZE": BATCH}, inside=host.inside)
        self._stack.callback(worker.stop, grace=0)
        self.workers.append(worker)
        return host, worker

    def hosts(self, state: str) -> list[str]:
        """Return the hosts of the workers in a state."""
        return [row[0] for row in self.sql("SELECT host FROM jobs_workerprocess WHERE state = %s ORDER BY 1", state)]

    def at_work(self) -> set[str]:
        """Return the hosts that have texts at the provider."""
        rows = self.sql("SELECT DISTINCT split_part(worker, ':', 1) FROM jobs_lease WHERE progress = 50")
        return {row[0] for row in rows}


@pytest.fixture
def system(houses: Houses, standin: StandIn) -> Iterator[Hosts]:
    with Hosts(houses.of(standin.settings)) as system:
        yield system


@pytest.mark.parametrize("fate", ["dies", "is cut off"])
def test_what_a_host_that_disappears_had_in_hand_is_done_by_another_which_leads_from_then_on(
    system: Hosts, standin: StandIn, fate: str
) -> None:
    standin.take(2)
    booted = {name: system.boot(name) for name in ("alpha", "beta")}
    system.until(lambda: system.hosts("running") == ["alpha", "beta"], "both are there", within=START_DEADLINE)
    told = system.api.http.get("/api/admin/workers").json()["results"]
    assert {(worker["host"], worker["is_alive"]) for worker in told} == {("alpha", True), ("beta", True)}
    gone = system.until(lambda: "".join(name for name in booted if booted[name][1].leads()), "one of them leads")
    (left,) = set(booted) - {gone}
    host, worker = booted[gone]

    system.api.bulk(system.plant(400))
    system.until(lambda: system.at_work() == {"alpha", "beta"}, "both are at work")
    if fate == "dies":
        system.kill(worker)
    else:
        host.cut()
    assert gone in system.at_work()
    standin.take(0.1)
    system.await_success(400)

    assert (system.hosts("lost"), system.hosts("running")) == ([gone], [left])
    assert booted[left][1].leads()
    assert system.without_fresh_vector() == 0
    assert system.sql("SELECT DISTINCT attempt FROM jobs_jobexecution") == [(1,)]
    assert system.sql("SELECT count(*) FROM jobs_lease") == [(0,)]
