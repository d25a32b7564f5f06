"""Changing the model of a running system: web server and workers go over at once, without a restart."""

import json
import threading
from typing import Any

import pytest

from tests.flows.conftest import Start
from tests.flows.standin import StandIn
from tests.flows.system import System

pytestmark = pytest.mark.flow

OLD, NEW = "gemini-embedding-001", "gemini-embedding-2"


def switch_model(system: System, *arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(system.manage("switch_model", *arguments, "--json"))
    return found


def fresh(system: System, model: str) -> int:
    """Count the businesses with a vector of their present text by a model."""
    ((number,),) = system.sql(
        "SELECT count(*) FROM directory_business AS business JOIN embeddings_embedding AS stored"
        " ON stored.business_id = business.id AND stored.text_hash = business.text_hash WHERE stored.model = %s",
        model,
    )
    return int(number)


@pytest.mark.timeout(300)
def test_a_model_is_filled_in_switched_to_under_saves_rolled_back_and_dropped(start: Start, standin: StandIn) -> None:
    system = start(standin)
    planted = system.plant(300)
    system.api.bulk(planted)
    system.await_success(300)

    stop = threading.Event()
    saved: list[str] = []

    def save() -> None:
        while not stop.is_set() and len(saved) < 300:
            business_id = planted[len(saved) % 50]
            system.api.change(business_id, description=f"{system.mark} {len(saved)}")
            saved.append(business_id)
            stop.wait(0.05)

    editor = threading.Thread(target=save)
    editor.start()
    try:
        switched = switch_model(system, NEW, "--yes", "--min-coverage", "80", "--sample", "20")
        served_at = len(saved)
        system.until(lambda: len(saved) > served_at + 3, "saves go on after the switch")
    finally:
        stop.set()
        editor.join()
    system.until(lambda: set(system.jobs()) <= {"succeeded", "cancelled"}, "all jobs have ended")

    assert (switched["serving"], switched["previous"]) == (NEW, OLD)
    assert switched["overlap"]["mean"] > 0.9, "the stand-in's models turn the same vectors"
    assert system.api.stats()["model"] == NEW
    assert fresh(system, NEW) == 300
    assert fresh(system, OLD) >= 250

    late = system.api.create(name=f"{system.mark} late")
    system.await_job(late["embedding_job"]["id"])
    assert system.sql("SELECT model FROM embeddings_embedding WHERE business_id = %s", late["id"]) == [(NEW,)]

    back = switch_model(system, "--rollback")
    assert (back["serving"], system.api.stats()["model"]) == (OLD, OLD)
    system.until(lambda: fresh(system, OLD) == 301, "the old model has caught up")

    assert switch_model(system, "--drop", NEW, "--yes")["vectors"] == 301
    assert system.sql("SELECT DISTINCT model FROM embeddings_embedding") == [(OLD,)]
    assert system.sql("SELECT count(*) FROM jobs_deadletter") == [(0,)]
