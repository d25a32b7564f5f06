import pytest

from tests.flows.test_workers import await_batch, in_hand, state

pytestmark = pytest.mark.flow


@pytest.mark.parametrize("latency", [2.6, 2.8, 3.0, 3.2])
def test_tmp_deadlock(start, standin, latency):
    standin.take(latency)
    system = start(standin)
    stopped = system.start_worker(SHUTDOWN_GRACE="1")
    system.api.bulk(system.plant(2000))
    await_batch(system, stopped)
    assert system.stop(stopped) == 0
    assert state(system, stopped) == "stopped"
    assert in_hand(system, stopped) == 0
