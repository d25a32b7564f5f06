"""Redis away, or with its memory lost: PostgreSQL is the truth."""

import pytest

from tests.flows.conftest import Start
from tests.flows.standin import StandIn

pytestmark = pytest.mark.flow

#: Seconds after which work goes on by itself once Redis is back.
BACK_WITHIN = 15.0


def test_a_save_while_redis_is_stopped_succeeds_and_its_job_gets_done_once_redis_is_back(start: Start) -> None:
    system = start()
    system.house.stop_redis()

    business = system.api.create()
    changed = system.api.change(business["id"], description="Written while Redis is away")

    assert business["embedding_job"]["status"] == "queued"
    assert changed["embedding_job"]["id"] == business["embedding_job"]["id"]
    assert system.jobs() == {"queued": 1}
    system.house.start_redis()
    system.await_success(1, within=BACK_WITHIN)
    assert system.without_fresh_vector() == 0


def test_a_bulk_run_is_finished_though_redis_forgets_everything_in_its_middle(start: Start, standin: StandIn) -> None:
    standin.take(1)
    system = start(standin)
    system.api.bulk(system.plant(500, "Before"))
    system.until(lambda: system.sent() == 500, "the worker is busy")

    system.api.bulk(system.plant(500, "Middle"))
    system.house.flush_redis()
    system.until(lambda: system.jobs()["succeeded"], "the first are done")
    system.house.flush_redis()
    system.until(lambda: system.jobs()["succeeded"] >= 600, "the run is in its middle")
    system.house.flush_redis()
    system.await_success(1000)

    assert system.without_fresh_vector() == 0
    assert standin.texts(system.mark).total() == 1000
