"""Workers that die, stop or lead."""

import pytest

from tests.flows.conftest import Start
from tests.flows.standin import StandIn

pytestmark = pytest.mark.flow

#: Workers are taken for lost after 3 times so many seconds.
HEARTBEAT = "1"


def test_what_a_killed_worker_had_in_hand_is_done_by_another(start: Start, standin: StandIn) -> None:
    standin.take(2)
    system = start(standin, WORKER_HEARTBEAT=HEARTBEAT)
    (first,) = system.workers
    system.api.bulk(system.plant(300))
    system.until(lambda: system.jobs()["running"] == 300, "the worker has three batches in hand")

    system.kill(first)
    standin.take(0.1)
    assert system.jobs() == {"running": 300}
    system.start_worker()
    system.await_success(300)

    assert system.without_fresh_vector() == 0
    assert system.sql("SELECT DISTINCT attempt FROM jobs_jobexecution") == [(1,)]
    assert system.sql("SELECT count(*) FROM jobs_lease") == [(0,)]
    assert system.sql("SELECT state, count(*) FROM jobs_workerprocess GROUP BY state ORDER BY state") == [
        ("lost", 1),
        ("running", 1),
    ]


def test_one_of_two_workers_is_killed_in_the_middle_and_the_other_does_all(start: Start, standin: StandIn) -> None:
    standin.take(0.5)
    system = start(standin, workers=2, WORKER_HEARTBEAT=HEARTBEAT, EMBEDDING_BATCH_SIZE="20")
    system.api.bulk(system.plant(500))
    system.until(lambda: system.jobs()["succeeded"] >= 100, "the run is in its middle")

    system.kill(system.workers[0])
    system.await_success(500)

    assert system.without_fresh_vector() == 0
    assert system.sql("SELECT count(*) FROM jobs_attempt") == [(0,)]


def test_a_worker_that_is_asked_to_stop_finishes_what_it_has_in_hand(start: Start, standin: StandIn) -> None:
    standin.take(1)
    system = start(standin, EMBEDDING_BATCH_SIZE="20")
    (first,) = system.workers
    system.api.bulk(system.plant(500))
    system.until(system.sent, "the worker is under load")

    assert system.stop(first, grace=30) == 0

    jobs = system.jobs()
    assert set(jobs) == {"queued", "succeeded"}
    assert jobs.total() == 500
    assert system.sql("SELECT state FROM jobs_workerprocess") == [("stopped",)]
    standin.take(0)
    system.start_worker()
    system.await_success(500)
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
    system = start(standin, WORKER_HEARTBEAT=HEARTBEAT)
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
