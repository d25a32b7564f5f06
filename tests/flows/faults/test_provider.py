"""A provider that fails in every way, three calls of ten."""

import pytest

from tests.flows.faults.stage import Stage
from tests.flows.trouble import make_due

pytestmark = [pytest.mark.flow, pytest.mark.fault]

#: What the stand-in mixes.
FAULTS = ["500", "429_minute", "reset", "timeout", "nan", "wrong_count"]


@pytest.mark.timeout(240)
def test_a_provider_that_fails_three_calls_of_ten_gets_everything_embedded_or_buried(stage: Stage) -> None:
    stage.google.fail(FAULTS, probability=0.3, seed=9)
    stage.hire(EMBEDDING_TIMEOUT="2")
    stage.hire(EMBEDDING_TIMEOUT="2")
    ids = stage.plant(240)
    stage.api.bulk(ids)
    for business_id in ids[:20]:
        stage.api.change(business_id, description="Written while the provider fails")

    def no_waiting() -> None:
        make_due(stage)
        stage.sql("UPDATE jobs_lane SET closed_until = NULL WHERE closed_until > now()")

    stage.await_end(meanwhile=no_waiting, within=120)
    stage.assert_nothing_lost(in_flight=0)
    assert stage.jobs()["succeeded"] > 200
    met = {call["fault"] for call in stage.google.record(stage.mark)}
    assert met == {None, *FAULTS}
