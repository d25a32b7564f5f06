"""Workers killed at every step of their work: others do what they had in hand, once."""

import pytest

from tests.flows.faults.stage import Stage

pytestmark = [pytest.mark.flow, pytest.mark.fault]

#: Steps of a batch, in their order, and whether a worker that dies there takes an answer of the provider with it.
STEPS = {
    "claiming": False,
    "committing a claim": False,
    "claimed": False,
    "calling": False,
    "waiting for the answer": True,
    "answered": True,
    "committing the outcome": True,
    "committed the outcome": False,
    "acking": False,
}


@pytest.mark.timeout(240)
def test_workers_killed_at_every_step_of_a_batch_lose_nothing(stage: Stage) -> None:
    stage.google.take(0.3)
    killed = {step: stage.saboteur(step, "KILL") for step in STEPS}
    # Serves no lane, so that it lives until it leads and takes back what the others have left.
    heir = stage.saboteur("committing what a lost worker held", "KILL", queues=("nothing",))

    stage.api.bulk(stage.plant(400))
    stage.until(lambda: all(each.ended() for each in [*killed.values(), heir]), "all of them are dead", within=120)

    stage.google.take(0)
    stage.hire()
    taken = {business for step, each in killed.items() if STEPS[step] for business in each.in_hand}
    stage.assert_nothing_lost(in_flight=len(taken))
    ids = dict(stage.sql("SELECT name, id::text FROM directory_business"))
    assert {ids[text.splitlines()[0]] for text, number in stage.embedded().items() if number > 1} <= taken
    assert stage.jobs() == {"succeeded": 400}
    assert stage.sql("SELECT DISTINCT attempt, deliveries FROM jobs_jobexecution") == [(1, 0)]
