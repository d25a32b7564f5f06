"""Rows of the retry table that concern one job or one batch alone."""

import numpy as np
import orjson
import pytest

from embeddings.standin.vectors import Vectors
from tests.flows.conftest import Start
from tests.flows.retry_table import PROVIDERS, Row, check_letter
from tests.flows.system import System
from tests.flows.trouble import (
    Google,
    await_pause,
    await_state,
    lane,
    resume,
    states,
)

pytestmark = pytest.mark.flow

#: Refusals of a single text.
REJECTED = [
    Row("400", "invalid_input", 400, "INVALID_ARGUMENT"),
    Row("413", "invalid_input", 413, "size"),
]


@pytest.mark.parametrize("row", REJECTED, ids=lambda row: row.fault)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_single_text_that_is_rejected_is_not_tried_again(
    start: Start, google: Google, provider: str, row: Row
) -> None:
    system = start(google.of(provider))
    google.fail(row.fault, marker=f"{system.mark} bad")

    job_id = system.api.create(name=f"{system.mark} bad")["embedding_job"]["id"]
    await_state(system, job_id, "dead")

    check_letter(system, job_id, row, attempts=1)
    assert google.statuses(system.mark) == {row.status_code: 1}
    assert not lane(system)["paused"]


def test_a_business_that_is_gone_is_not_found(start: Start, google: Google) -> None:
    system = start(google)
    google.revoke()
    system.api.create(name=f"{system.mark} first")
    await_pause(system)
    gone = system.api.create(name=f"{system.mark} gone")
    system.sql("DELETE FROM directory_business WHERE id = %s", gone["id"])

    google.restore()
    resume(system)
    job_id = gone["embedding_job"]["id"]
    await_state(system, job_id, "dead")

    check_letter(system, job_id, Row("gone", "not_found", None), attempts=1)
    assert google.record(f"{system.mark} gone") == []


def test_a_job_that_is_claimed_five_times_and_never_ends_is_poisoned(start: Start, google: Google) -> None:
    google.take(3)
    system = start(google)
    job_id = system.api.create(name=f"{system.mark} killer")["embedding_job"]["id"]
    system.until(system.sent, "its text has been sent")

    system.sql("UPDATE jobs_jobexecution SET deliveries = 5")
    system.sql("UPDATE jobs_lease SET expires_at = now()")
    await_state(system, job_id, "dead")

    check_letter(system, job_id, Row("killed", "poisoned", None, "claimed 5 times"), attempts=1)
    google.take(0)
    later = system.api.create(name=f"{system.mark} later")["embedding_job"]["id"]
    system.await_job(later)
    system.until(lambda: google.record(f"{system.mark} killer"), "its answer has come after all")
    assert states(system, [job_id]) == {"dead": 1}
    assert system.without_fresh_vector() == 1


@pytest.mark.parametrize("fault", ["nan", "null", "empty_vector", "zero_vector", "wrong_dimensions"])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_one_bad_vector_fails_one_job_of_its_batch(start: Start, google: Google, provider: str, fault: str) -> None:
    system = start(google.of(provider))
    google.fail(fault, marker=f"{system.mark} 3", calls=1)

    jobs = system.api.bulk(system.plant(5))["jobs"]
    system.await_success(5)

    assert sorted(system.api.job(job["job_id"])["attempt"] for job in jobs) == [1, 1, 1, 1, 2]
    assert [call["texts"] for call in google.record(system.mark)] == [5, 1]
    check_vectors(system, google)


@pytest.mark.parametrize("fault", ["wrong_count", "wrong_count_more"])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_answers_in_the_wrong_number_shift_no_vector_to_another_business(
    start: Start, google: Google, provider: str, fault: str
) -> None:
    system = start(google.of(provider))
    google.fail(fault)

    system.api.bulk(system.plant(5))
    system.await_success(5)

    assert system.sql("SELECT DISTINCT attempt FROM jobs_jobexecution") == [(2,)]
    check_vectors(system, google)


def check_vectors(system: System, google: Google) -> None:
    """Check that every business has the vector of its own text, of unit length."""
    texts = {text.splitlines()[0]: text for call in google.record(system.mark) for text in call["text"]}
    rows = system.sql(
        "SELECT business.name, stored.model, stored.vector::text FROM embeddings_embedding AS stored"
        " JOIN directory_business AS business ON business.id = stored.business_id"
    )
    assert len(rows) == len(texts)
    for name, model, vector in rows:
        (expected,) = Vectors().of([texts[name]], model, 768)
        wanted = np.array(orjson.loads(expected), dtype=np.float64)
        stored = np.array(orjson.loads(vector), dtype=np.float64)
        assert stored @ wanted / np.linalg.norm(wanted) == pytest.approx(1, abs=0.01), name
