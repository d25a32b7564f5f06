"""Redis killed, empty and frozen; messages delivered again and again, to hosts whose clocks differ."""

import signal

import pytest

from tests.flows.faults.stage import Stage

pytestmark = [pytest.mark.flow, pytest.mark.fault]

#: How much the clocks of two hosts differ, in seconds.
APART = 120.0


@pytest.mark.timeout(240)
def test_redis_killed_restarted_empty_and_frozen_costs_no_job_and_no_call(stage: Stage) -> None:
    stage.google.take(0.5)
    worker = stage.hire()
    stage.api.bulk(stage.plant(200))
    stage.until(stage.sent, "the run has begun")

    stage.house.kill_redis()
    while_dead = stage.api.create(name=f"{stage.mark} while Redis is dead")
    stage.house.start_redis(empty=True)
    stage.until(lambda: stage.api.job(while_dead["embedding_job"]["id"])["finished_at"], "work goes on")
    stage.house.signal_redis(signal.SIGSTOP)
    while_frozen = stage.api.create(name=f"{stage.mark} while Redis is frozen")
    failures = worker.log.read_text(encoding="utf-8").count("Timeout")
    stage.until(lambda: worker.log.read_text(encoding="utf-8").count("Timeout") > failures, "the worker misses Redis")
    stage.house.signal_redis(signal.SIGCONT)

    stage.until(lambda: stage.api.job(while_frozen["embedding_job"]["id"])["finished_at"], "work goes on again")
    stage.assert_nothing_lost(in_flight=0)
    assert stage.sql("SELECT DISTINCT status, attempt, deliveries FROM jobs_jobexecution") == [("succeeded", 1, 0)]


@pytest.mark.timeout(240)
def test_messages_delivered_five_times_to_hosts_with_different_clocks_do_everything_once(stage: Stage) -> None:
    stage.google.take(0.2)
    duplicator = ("yellowbook.soak.duplicator",)
    # By its own clock, the one that is behind would hold leases that are over, and wait for nothing.
    workers = [stage.hire(modules=duplicator, clock_ahead=ahead, JOB_LEASE="30") for ahead in (APART / 2, -APART / 2)]
    stage.google.fail("503", calls=2)

    stage.api.bulk(stage.plant(200))
    for number in range(10):
        stage.api.create(name=f"{stage.mark} saved {number}")
    stage.assert_nothing_lost(in_flight=0)

    assert stage.jobs() == {"succeeded": 210}
    assert stage.sql("SELECT count(DISTINCT worker) FROM jobs_jobexecution") == [(2,)]
    failed = stage.sql("SELECT attempt - 1, count(*) FROM jobs_jobexecution WHERE attempt > 1 GROUP BY attempt")
    assert sum(tries * number for tries, number in failed) == 5 * 2
    ((soonest, latest),) = stage.sql(
        "SELECT min(job.started_at - failed.finished_at) >= interval '1 s',"
        " max(job.started_at - failed.finished_at) < interval '30 s'"
        " FROM jobs_jobexecution AS job JOIN jobs_attempt AS failed ON failed.job_id = job.id"
        " AND failed.number = job.attempt - 1"
    )
    assert (soonest, latest) == (True, True)
    assert stage.sql("SELECT state, count(*) FROM jobs_workerprocess GROUP BY state") == [("running", len(workers))]
