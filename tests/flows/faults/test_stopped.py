"""Workers that are asked to stop while there is much to do."""

import pytest

from tests.flows.faults.stage import Stage

pytestmark = [pytest.mark.flow, pytest.mark.fault]


@pytest.mark.timeout(240)
def test_workers_replaced_one_by_one_under_load_do_everything_once(stage: Stage) -> None:
    stage.google.take(0.3)
    first = stage.hire()
    ids = stage.plant(300)
    stage.api.bulk(ids)
    stage.until(lambda: stage.in_hand(first), "the first one has work in hand")

    second = stage.hire()
    codes = [stage.stop(first)]
    stage.api.change(ids[-1], description="Written while the workers are replaced")
    stage.until(lambda: stage.in_hand(second), "the second one has work in hand")
    stage.hire()
    codes.append(stage.stop(second))

    assert codes == [0, 0]
    assert stage.sql("SELECT state, count(*) FROM jobs_workerprocess GROUP BY state ORDER BY state") == [
        ("running", 1),
        ("stopped", 2),
    ]
    stage.assert_nothing_lost(in_flight=0)
    assert stage.sql("SELECT DISTINCT attempt, deliveries FROM jobs_jobexecution") == [(1, 0)]
