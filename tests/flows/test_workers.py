"""Workers that die, stop or lead."""

import pytest

from tests.flows.conftest import Start
from tests.flows.standin import StandIn

pytestmark = pytest.mark.flow


def test_what_a_killed_worker_had_in_hand_is_done_by_another(start: Start, standin: StandIn) -> None:
    standin.take(2)
    system = start(standin)
    killed = system.start_worker()
    system.api.bulk(system.plant(1000))
    in_hand = "SELECT DISTINCT size FROM jobs_lease WHERE progress = 50 AND worker LIKE '%%:' || %s || '-%%'"
    (pid,) = killed.processes()
    system.until(lambda: system.sql(in_hand, str(pid)), "it has a batch at the provider")

    system.kill(killed)
    standin.take(0.1)
    assert system.sql(in_hand, str(pid))
    system.await_success(1000)

    assert system.without_fresh_vector() == 0
    assert system.sql("SELECT DISTINCT attempt FROM jobs_jobexecution") == [(1,)]
    assert system.sql("SELECT count(*) FROM jobs_attempt") == [(0,)]
    assert system.sql("SELECT count(*) FROM jobs_lease") == [(0,)]
    assert system.sql("SELECT state FROM jobs_workerprocess WHERE pid = %s", pid) == [("lost",)]


def test_a_worker_that_is_asked_to_stop_finishes_what_it_has_in_hand(start: Start, standin: StandIn) -> None:
    standin.take(1)
    system = start(standin)
    (stopped,) = system.workers
    system.api.bulk(system.plant(1000))
    system.until(system.sent, "the worker is under load")

    assert system.stop(stopped, grace=30) == 0

    jobs = system.jobs()
    assert set(jobs) == {"queued", "succeeded"}
    assert jobs.total() == 1000
    assert system.sql("SELECT state FROM jobs_workerprocess") == [("stopped",)]
    standin.take(0)
    system.start_worker()
    system.await_success(1000)
    assert standin.totals()["texts_embedded_more_than_once"] == 0
    assert system.sql("SELECT DISTINCT attempt FROM jobs_jobexecution") == [(1,)]
    assert system.sql("SELECT count(*) FROM jobs_attempt") == [(0,)]


def test_a_worker_whose_grace_runs_out_gives_back_what_it_has_in_hand(start: Start, standin: StandIn) -> None:
    standin.take(20)
    system = start(standin, SHUTDOWN_GRACE="1")
    (first,) = system.workers
    system.api.bulk(system.plant(200))
    system.until(lambda: system.jobs()["running"] == 200, "the worker has all jobs in hand")

    assert system.stop(first, grace=15) == 0

    assert system.jobs() == {"queued": 200}
    standin.take(0)
    system.start_worker()
    system.await_success(200)
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
