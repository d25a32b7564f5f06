"""What many saves cost at the provider."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.flows.conftest import Start
from tests.flows.standin import StandIn

pytestmark = pytest.mark.flow

#: The most provider calls that 1,000 businesses may cost.
MOST_CALLS = 12


#: What `manage.py shell` runs: it looks until the worker is busy, which the flow bounds, then saves one by one.
SAVES = """
import time
from jobs.models import Lease
from yellowbook.directory.models import Business
while not Lease.objects.filter(progress=50).exists():
    time.sleep(0.05)  # another process tells nobody how far it is; the flow's own patience bounds the wait
for number in range(1000):
    Business(name=f"Saved MARK {number}", category="Café", address="Street 1").save()
"""


def test_a_thousand_saves_while_the_worker_is_busy_cost_twelve_calls_at_most(start: Start, standin: StandIn) -> None:
    standin.take(8)
    system = start(standin)
    planted = system.plant(500)

    with ThreadPoolExecutor(1) as thread:
        saves = thread.submit(system.manage, "shell", "-c", SAVES.replace("MARK", system.mark))
        system.api.bulk(planted)
        saves.result()
    standin.take(0.1)
    system.await_success(1500)

    assert standin.texts(f"Saved {system.mark}").total() == 1000
    assert len(standin.calls(f"Saved {system.mark}")) <= MOST_CALLS
    assert system.without_fresh_vector() == 0


def test_a_thousand_by_the_bulk_endpoint_cost_twelve_calls_at_most(start: Start, standin: StandIn) -> None:
    standin.take(0.2)
    system = start(standin)

    answer = system.api.bulk(system.plant(1000))
    system.await_success(1000)

    assert (answer["queued"], answer["skipped"], answer["not_found"]) == (1000, 0, [])
    assert standin.texts(system.mark).total() == 1000
    assert len(standin.calls(system.mark)) <= MOST_CALLS
    assert system.without_fresh_vector() == 0


def test_two_workers_never_embed_a_text_twice(start: Start, standin: StandIn) -> None:
    standin.take(0.5)
    system = start(standin)
    system.start_worker()
    ids = system.plant(1000)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(system.api.bulk, [ids[start : start + 100] for start in range(0, 1000, 100)]))
    system.await_success(1000)

    assert standin.texts(system.mark).total() == 1000
    assert system.results() == {"embedded": 1000}
    assert system.sql("SELECT DISTINCT attempt FROM jobs_jobexecution") == [(1,)]
    assert system.sql("SELECT count(*) FROM jobs_attempt") == [(0,)]
    assert system.sql("SELECT count(DISTINCT worker) FROM jobs_jobexecution") == [(2,)]


def test_an_urgent_save_overtakes_a_bulk_run(start: Start, standin: StandIn) -> None:
    standin.take(1)
    system = start(standin)
    system.api.bulk(system.plant(1000))
    system.until(system.sent, "the bulk run has begun")

    urgent = system.api.create(name="Urgent")["embedding_job"]["id"]
    system.await_success(1001)

    ((behind,),) = system.sql(
        "SELECT count(*) FROM jobs_jobexecution AS job, jobs_jobexecution AS urgent"
        " WHERE urgent.id = %s AND job.created_at < urgent.created_at AND job.finished_at > urgent.finished_at",
        urgent,
    )
    assert behind > 0
