"""Saving, editing and deleting businesses."""

import pytest

from tests.flows.conftest import Start
from tests.flows.standin import StandIn

pytestmark = pytest.mark.flow


def test_a_posted_business_is_embedded_and_its_job_shows_every_step(start: Start) -> None:
    system = start()

    business = system.api.create(name="Номин ресторан", description="Монгол хоол")
    job = system.await_job(business["embedding_job"]["id"])

    assert [step["progress"] for step in job["steps"]] == [10, 30, 50, 80, 100]
    assert job["steps"] == sorted(job["steps"], key=lambda step: step["at"])
    assert (job["result"], job["progress"], job["attempt"], job["attempts"]) == ("embedded", 100, 1, [])
    assert (job["business_id"], job["operation"], job["priority"]) == (business["id"], "create", "high")
    assert system.without_fresh_vector() == 0
    assert system.sql("SELECT job_id::text, provider, vector_dims(vector) FROM embeddings_embedding") == [
        (job["job_id"], "local", 768)
    ]
    stats = system.api.stats()
    assert (stats["total"], stats["with_embeddings"], stats["stale"]) == (1, 1, 0)
    assert (stats["coverage_percentage"], stats["oldest_waiting_seconds"]) == (100.0, None)


def test_a_new_phone_number_makes_no_job(start: Start) -> None:
    system = start()
    business = system.api.create(description="Монгол хоол")
    system.await_success(1)

    changed = system.api.change(business["id"], phone="+976 7711 2233")

    assert changed["embedding_job"] is None
    assert system.jobs() == {"succeeded": 1}


def test_of_two_edits_while_the_worker_is_busy_the_last_text_wins(start: Start, standin: StandIn) -> None:
    standin.take(2)
    system = start(standin)
    business = system.api.create(name=system.mark, description="The first text")
    system.until(system.sent, "the first text has been sent")

    second = system.api.change(business["id"], description="The second text")
    third = system.api.change(business["id"], description="The third text")
    standin.take(0)
    system.await_success(2)

    assert second["embedding_job"]["id"] == third["embedding_job"]["id"] != business["embedding_job"]["id"]
    assert system.api.job(business["embedding_job"]["id"])["result"] == "superseded"
    assert system.api.job(third["embedding_job"]["id"])["result"] == "embedded"
    assert system.without_fresh_vector() == 0
    sent = sorted(text.splitlines()[2] for text in standin.texts(system.mark).elements())
    assert sent == ["The first text", "The third text"]


def test_deleting_a_business_removes_its_vector_and_its_waiting_job(start: Start, standin: StandIn) -> None:
    system = start(standin)
    business = system.api.create(name=system.mark, description="The first text")
    system.await_job(business["embedding_job"]["id"])
    standin.take(3)
    other = system.api.create(name="Busy")
    system.until(system.sent, "the worker is busy")
    waiting = system.api.change(business["id"], description="The second text")["embedding_job"]

    system.api.delete(business["id"])

    assert system.sql("SELECT FROM embeddings_embedding") == []
    job = system.api.job(waiting["id"])
    assert (job["status"], job["result"]) == ("cancelled", "subject deleted")
    system.await_job(other["embedding_job"]["id"])
    assert [text.splitlines()[2] for text in standin.texts(system.mark)] == ["The first text"]


def test_a_business_deleted_while_its_text_is_embedded_leaves_nothing_behind(start: Start, standin: StandIn) -> None:
    standin.take(2)
    system = start(standin)
    business = system.api.create()
    system.until(system.sent, "its text has been sent")

    system.api.delete(business["id"])

    system.until(lambda: not system.jobs()["running"], "the job has ended")
    assert system.api.job(business["embedding_job"]["id"])["error_class"] == "not_found"
    assert system.sql("SELECT FROM embeddings_embedding") == []
