"""Workers that die, stop or lead."""

import pytest

from tests.flows.conftest import Start
from tests.flows.standin import StandIn
from tests.flows.system import System
from tests.flows.worker import Worker

pytestmark = pytest.mark.flow


def in_hand(system: System, worker: Worker) -> int:
    """Return how many jobs a worker's leases cover."""
    ((jobs,),) = system.sql(
        "SELECT coalesce(sum(size), 0) FROM jobs_lease AS lease JOIN jobs_workerprocess AS process"
        " ON process.name = lease.worker WHERE process.pid = ANY(%s)",
        worker.pids,
    )
    return int(jobs)


def await_batch(system: System, worker: Worker) -> None:
    """Wait until a worker has finished a batch, so that it is warm, and has the next one in hand."""
    own = "worker IN (SELECT name FROM jobs_workerprocess WHERE pid = ANY(%s))"
    finished = f"SELECT FROM jobs_jobexecution WHERE status = 'succeeded' AND {own} LIMIT 1"
    sent = f"SELECT FROM jobs_lease WHERE progress = 50 AND {own} LIMIT 1"
    system.until(
        lambda: system.sql(finished, worker.pids) and system.sql(sent, worker.pids), "it has its second batch in hand"
    )


def state(system: System, worker: Worker) -> str:
    """Return what the registry says of a worker."""
    ((found,),) = system.sql("SELECT state FROM jobs_workerprocess WHERE pid = ANY(%s)", worker.pids)
    return str(found)


def test_what_a_killed_worker_had_in_hand_is_done_by_another(start: Start, standin: StandIn) -> None:
    standin.take(1)
    system = start(standin)
    killed = system.start_worker()
    system.api.bulk(system.plant(2000))
    await_batch(system, killed)

    system.kill(killed)
    standin.take(0.1)
    assert in_hand(system, killed)
    system.await_success(2000)

    assert state(system, killed) == "lost"
    assert system.without_fresh_vector() == 0
    assert system.sql("SELECT DISTINCT attempt FROM jobs_jobexecution") == [(1,)]
    assert system.sql("SELECT count(*) FROM jobs_attempt") == [(0,)]
    assert system.sql("SELECT count(*) FROM jobs_lease") == [(0,)]


def test_a_worker_that_is_asked_to_stop_finishes_what_it_has_in_hand(start: Start, standin: StandIn) -> None:
    standin.take(1)
    system = start(standin)
    stopped = system.start_worker()
    system.api.bulk(system.plant(2000))
    await_batch(system, stopped)

    assert system.stop(stopped) == 0

    assert state(system, stopped) == "stopped"
    assert in_hand(system, stopped) == 0
    standin.take(0)
    system.await_success(2000)
    assert standin.texts(system.mark).total() == 2000
    assert system.sql("SELECT DISTINCT attempt FROM jobs_jobexecution") == [(1,)]
    assert system.sql("SELECT count(*) FROM jobs_attempt") == [(0,)]


def test_a_worker_whose_grace_runs_out_gives_back_what_it_has_in_hand(start: Start, standin: StandIn) -> None:
    standin.take(0.5)
    system = start(standin)
    stopped = system.start_worker(SHUTDOWN_GRACE="1")
    system.api.bulk(system.plant(2000))
    system.until(lambda: system.jobs()["succeeded"], "the run has begun")
    standin.take(8)
    await_batch(system, stopped)
    standin.take(0.1)

    assert system.stop(stopped) == 0

    assert state(system, stopped) == "stopped"
    assert in_hand(system, stopped) == 0
    system.await_success(2000)
    assert system.without_fresh_vector() == 0
    assert system.sql("SELECT DISTINCT attempt FROM jobs_jobexecution") == [(1,)]


def test_another_worker_leads_when_the_leader_is_killed(start: Start, standin: StandIn) -> None:
    system = start(standin)
    (first,) = system.workers
    system.until(first.leads, "the only worker leads")
    second = system.start_worker()

    system.kill(first)
    standin.fail("503")
    job = system.await_job(system.api.create()["embedding_job"]["id"])

    # Only a leader wakes a lane for a job that has become due again.
    assert job["attempt"] == 2
    assert [attempt["error_class"] for attempt in job["attempts"]] == ["server"]
    assert second.leads()
