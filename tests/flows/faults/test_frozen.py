"""Workers that freeze, or have a thread that hangs, for longer than their leases: too late, they change nothing."""

from pathlib import Path
from typing import Any

import pytest

from tests.flows.faults.stage import Stage

pytestmark = [pytest.mark.flow, pytest.mark.fault]

#: Seconds of a lease that is to run out; a batch of five takes a small part of it.
LEASE = "6"
#: For sessions that may not sit idle in a transaction for longer than this.
IMPATIENT = "-c%20idle_in_transaction_session_timeout%3D4000"
#: Those of some businesses' jobs that run on a worker.
RUNNING = """
SELECT FROM jobs_jobexecution WHERE subject = ANY(%s) AND status = 'running'
   AND worker IN (SELECT name FROM jobs_workerprocess WHERE pid = ANY(%s))
"""
#: Everything that a worker writes when it ends a job.
WRITTEN = ("jobs_jobexecution", "jobs_attempt", "jobs_deadletter", "jobs_lane", "jobs_lease", "embeddings_embedding")


def everything(stage: Stage) -> dict[str, list[Any]]:
    """Return all rows that a late worker could damage."""
    return {table: stage.sql(f"SELECT row::text FROM {table} AS row ORDER BY 1") for table in WRITTEN}


@pytest.mark.timeout(240)
def test_workers_that_come_back_after_their_leases_change_nothing(stage: Stage) -> None:
    # One that froze in a transaction holds locks until PostgreSQL ends that.
    url = f"{stage.house.environment['DATABASE_URL']}&options={IMPATIENT}"
    ids = stage.plant(60)
    stage.api.bulk(ids)
    late = [
        # Lost to its heartbeats: a lease that runs out has a time limit with it, which would end this one's try.
        stage.saboteur("answered", "STOP", DATABASE_URL=url),
        stage.saboteur("answered", "HANG", JOB_LEASE=LEASE, DATABASE_URL=url),
        stage.saboteur("committing the outcome", "STOP", JOB_LEASE=LEASE, DATABASE_URL=url),
    ]
    stage.until(lambda: all(each.struck for each in late), "they have stopped where they should")
    # This one holds the lock of the whole lane.
    late.append(stage.saboteur("committing a claim", "STOP", JOB_LEASE=LEASE, DATABASE_URL=url))
    stage.until(lambda: late[-1].struck, "the last one has stopped too")
    in_flight = set().union(*(each.in_hand for each in late))
    for each in late[:3]:
        changed, deleted, *_ = sorted(each.in_hand)
        stage.api.change(changed, description="Written while the worker was frozen")
        stage.api.delete(deleted)

    stage.google.take(4)
    other = stage.hire()
    # Not the one that was changed: another worker may run its new job while the first one still has the old one.
    taken_over = sorted(late[0].in_hand)[2:]
    stage.until(
        lambda: stage.sql(RUNNING, taken_over, other.pids), "another worker runs what the first one had in hand"
    )
    late[0].resume()
    stage.until(lambda: lost(late[0].worker.log) == 5, "the first one has come too late")
    stage.google.take(0)

    stage.assert_nothing_lost(in_flight=len(in_flight))
    before = everything(stage)
    for each in late[1:]:
        each.resume()
    codes = [each.worker.stop() for each in late]

    assert codes == [0, 0, 0, 0], [each.worker.failure() for each in late]
    assert everything(stage) == before


def lost(log: Path) -> int:
    """Return how many results a worker brought too late."""
    return 5 * log.read_text(encoding="utf-8").count('"lost": 5')


@pytest.mark.timeout(240)
def test_a_worker_so_slow_that_the_texts_are_others_by_now_stores_none_of_them(stage: Stage) -> None:
    ids = stage.plant(5)
    slow = stage.saboteur("answered", "HANG")
    stage.api.bulk(ids)
    stage.until(lambda: slow.struck, "the slow one has its answer")
    for business_id in ids:
        stage.api.change(business_id, description="Written while the worker was slow")
    stage.hire()
    stage.until(lambda: stage.jobs()["succeeded"] == 5, "the new texts are embedded by another")
    before = stage.sql("SELECT row::text FROM embeddings_embedding AS row ORDER BY 1")

    slow.resume()

    stage.assert_nothing_lost()
    assert stage.sql("SELECT row::text FROM embeddings_embedding AS row ORDER BY 1") == before
    assert stage.results() == {"embedded": 5, "superseded": 5}


@pytest.mark.timeout(240)
def test_another_leads_while_the_leader_is_frozen(stage: Stage) -> None:
    frozen = stage.hire()
    stage.until(frozen.leads, "the only worker leads")
    other = stage.hire()
    stage.google.take(1)
    stage.api.bulk(stage.plant(100))
    stage.until(lambda: stage.in_hand(frozen), "the leader has work in hand")
    stage.freeze(frozen)
    in_hand = stage.in_hand(frozen)
    stage.google.take(0)
    stage.google.fail("503", calls=3)

    # Only a leader takes its work back, and wakes the lane for jobs that are tried again.
    stage.await_end()
    assert other.leads()
    stage.resume(frozen)
    stage.api.create(name=f"{stage.mark} after it all")
    stage.assert_nothing_lost(in_flight=in_hand)
    leaders = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND database ="
    assert stage.sql(f"{leaders} (SELECT oid FROM pg_database WHERE datname = current_database())") == [(1,)]
