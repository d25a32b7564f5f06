"""Every row of the retry table, from the wire to the dead letter, with both of Google's SDKs."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import orjson
import pytest

from embeddings.standin.vectors import Vectors
from tests.flows.conftest import Start
from tests.flows.standin import StandIn
from tests.flows.system import System
from tests.flows.trouble import (
    Google,
    ask,
    await_pause,
    await_state,
    blocked_for,
    lane,
    letter,
    letters,
    make_due,
    replace_worker,
    resume,
    states,
    steered,
)

pytestmark = pytest.mark.flow

PROVIDERS = ["gemini", "google-generativeai"]
#: Seconds that a delay may last longer than the table says: the stand-in's answer, the scheduler, a busy machine.
SLACK = 30.0
#: What a delay is stretched by at most.
JITTER = 1.3
#: The embedding timeout of the flow with calls that hang, in seconds.
TIMEOUT = 1.0
#: Clocks of processes of one machine, and the time between an answer and its attempt's end.
CLOCK = 0.05


@dataclass(frozen=True)
class Row:
    """What a fault must lead to: its class, its HTTP status where there is one, words of its reason."""

    fault: str
    error_class: str
    status_code: int | None
    reason: str = ""


#: Faults that are tried again three times, after 1, 2 and 4 seconds.
RETRIED = [
    Row("reset", "network", None, "connection failed"),
    Row("close", "network", None, "connection failed"),
    Row("truncate", "network", None, "connection failed"),
    Row("timeout", "network", None, "No complete answer within 1 s"),
    Row("trickle", "network", None, "No complete answer within 1 s"),
    Row("408", "server", 408, "408"),
    Row("409", "server", 409, "ABORTED"),
    Row("499", "server", 499, "CANCELLED"),
    Row("500", "server", 500, "INTERNAL"),
    Row("503", "server", 503, "overloaded"),
    Row("504", "server", 504, "DEADLINE_EXCEEDED"),
    Row("html_502", "server", 502, "HTML"),
    Row("bad_json", "bad_response", 200, "JSON"),
    Row("html_200", "bad_response", 200),
    Row("no_embeddings", "bad_response", 200),
    Row("wrong_count", "bad_response", None),
    Row("wrong_count_more", "bad_response", None),
    Row("nan", "bad_response", None),
    Row("null", "bad_response", None),
    Row("empty_vector", "bad_response", None),
    Row("zero_vector", "bad_response", None),
    Row("wrong_dimensions", "bad_response", None),
]
#: Faults after which everybody waits a minute.
RATE_LIMITED = ["429_minute", "429_tokens", "429_bare"]
#: Faults that concern every job: the lane is paused.
PAUSING = [
    Row("429_day", "quota_exhausted", 429, "RESOURCE_EXHAUSTED"),
    Row("429_zero", "quota_exhausted", 429, "limit: 0"),
    Row("key_invalid", "auth", 400, "API key not valid"),
    Row("key_leaked", "auth", 403, "leaked"),
    Row("401", "auth", 401, "UNAUTHENTICATED"),
    Row("403", "auth", 403, "PERMISSION_DENIED"),
    Row("404", "configuration", 404, "NOT_FOUND"),
    Row("failed_precondition", "configuration", 400, "FAILED_PRECONDITION"),
]
#: Refusals of a single text.
REJECTED = [
    Row("400", "invalid_input", 400, "INVALID_ARGUMENT"),
    Row("413", "invalid_input", 413, "size"),
]


@pytest.fixture
def google(standin: StandIn) -> Iterator[Google]:
    with steered(standin) as google:
        yield google


def check_letter(system: System, job_id: str, row: Row, attempts: int) -> dict[str, Any]:
    """Check a dead letter and the job behind it, as the API shows them."""
    dead, job = letter(system, job_id), system.api.job(job_id)
    said = f"{row.fault}: {dead}"
    assert (dead["error_class"], job["error_class"]) == (row.error_class, row.error_class), said
    if row.error_class != "bad_response":  # the status was 200, which some of these letters say and some do not
        assert dead["error_details"]["status_code"] == row.status_code, said
    assert row.reason in dead["failure_reason"], said
    assert dead["error_details"]["message"] == dead["failure_reason"], said
    assert dead["attempts"] == len(job["attempts"]) == attempts, said
    assert dead["payload"]["job_id"] == job_id, said
    assert dead["payload"]["business_id"] == job["business_id"], said
    assert (job["status"], job["result"], dead["resolved_at"], dead["resolution"]) == ("dead", "", None, ""), said
    assert dead["enqueued_at"] <= dead["last_attempt_at"] <= dead["created_at"], said
    assert "AIza" not in str(dead), said
    assert "AIza" not in str(job), said
    return dead


@pytest.mark.parametrize("provider", PROVIDERS)
def test_faults_that_pass_are_tried_three_times_more_at_growing_distances(
    start: Start, google: Google, provider: str
) -> None:
    system = start(google)
    replace_worker(
        system,
        EMBEDDING_PROVIDER=provider,
        EMBEDDING_BATCH_SIZE="1",
        EMBEDDING_TIMEOUT=str(TIMEOUT),
        JOB_CONCURRENCY="8",
    )
    jobs: dict[str, str] = {}
    for row in RETRIED:
        google.fail(row.fault, marker=f"{system.mark} {row.fault}.")
        jobs[row.fault] = system.api.create(name=f"{system.mark} {row.fault}.")["embedding_job"]["id"]
    good = system.api.create(name=f"{system.mark} good")["embedding_job"]["id"]

    system.until(lambda: system.jobs() == {"dead": len(RETRIED), "succeeded": 1}, "all retries are used up", within=150)

    for row in RETRIED:
        calls = google.record(f"{system.mark} {row.fault}.")
        delays = [later["at"] - earlier["at"] for earlier, later in pairwise(calls)]
        assert len(calls) == 4, (row, calls)
        assert {call["fault"] for call in calls} == {row.fault}
        for delay, least in zip(delays, (1.0, 2.0, 4.0), strict=True):
            assert least - CLOCK <= delay <= least * JITTER + TIMEOUT + SLACK, (row, delays)
        dead = check_letter(system, jobs[row.fault], row, attempts=4)
        attempts = system.api.job(jobs[row.fault])["attempts"]
        assert [attempt["number"] for attempt in attempts] == [1, 2, 3, 4]
        assert {attempt["error_class"] for attempt in attempts} == {row.error_class}
        if row.status_code == 200:
            assert dead["error_details"]["status_code"] == 200, dead
            assert dead["error_details"]["sample"], dead
    assert states(system, [good]) == {"succeeded": 1}
    assert not lane(system)["paused"]
    assert letters(system)["total_failed"] == len(RETRIED)
    waits = system.sql(
        "SELECT number, min(seconds), max(seconds) FROM (SELECT number, extract(epoch FROM lead(started_at) OVER"
        " (PARTITION BY job_id ORDER BY number) - finished_at) AS seconds FROM jobs_attempt) AS wait"
        " WHERE seconds IS NOT NULL GROUP BY number ORDER BY number"
    )
    assert all(least >= 2 ** (number - 1) for number, least, _ in waits), waits


@pytest.mark.parametrize("fault", ["503", "reset", "bad_json"])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_fault_that_passes_costs_one_more_call(start: Start, google: Google, provider: str, fault: str) -> None:
    system = start(google.of(provider))
    google.fail(fault)

    business = system.api.create(name=f"{system.mark} unlucky")
    job = system.await_job(business["embedding_job"]["id"])

    assert (job["attempt"], len(job["attempts"]), job["result"]) == (2, 1, "embedded")
    first, second = google.record(system.mark)
    assert second["at"] - first["at"] >= 1 - CLOCK
    assert letters(system)["total_failed"] == 0


@pytest.mark.parametrize("fault", RATE_LIMITED)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_rate_limit_makes_the_lane_wait_a_minute_and_is_counted_apart(
    start: Start, google: Google, provider: str, fault: str
) -> None:
    system = start(google.of(provider))
    google.fail(fault, marker=f"{system.mark} limited")
    limited = system.api.create(name=f"{system.mark} limited")["embedding_job"]["id"]
    met = "SELECT FROM jobs_jobexecution WHERE id = %s AND status = 'retrying' AND rate_limits = %s"
    for number in range(1, 6):
        system.until(partial(system.sql, met, limited, number), f"rate limit {number} is met")
        ((job_waits, lane_waits),) = system.sql(
            "SELECT extract(epoch FROM job.next_attempt_at - now())::float,"
            " extract(epoch FROM lane.closed_until - now())::float FROM jobs_jobexecution AS job, jobs_lane AS lane"
            " WHERE job.id = %s",
            limited,
        )
        assert 60 - SLACK < lane_waits <= 60
        assert 60 - SLACK < job_waits <= 60 * JITTER
        if number == 1:
            other = system.api.create(name=f"{system.mark} other")["embedding_job"]["id"]
            assert states(system, [other]) == {"queued": 1}
            assert len(google.record(system.mark)) == 1
            ask(system.api, "POST", f"/api/admin/jobs/{other}/cancel")  # else it would share the next call
        make_due(system)
        assert len(google.record(f"{system.mark} limited")) == number
        resume(system)

    await_state(system, limited, "dead")
    resume(system)
    done = system.await_job(system.api.create(name=f"{system.mark} next")["embedding_job"]["id"])

    assert google.statuses(f"{system.mark} limited") == {429: 6}
    dead = check_letter(system, limited, Row(fault, "rate_limited", 429, "RESOURCE_EXHAUSTED"), attempts=6)
    assert dead["payload"]["max_retries"] == 3
    assert (done["attempt"], done["status"]) == (1, "succeeded")


@pytest.mark.parametrize(("asked", "waited"), [(5, 5), (0, 1)], ids=["longer", "shorter"])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_busy_server_is_left_alone_for_as_long_as_it_asks_but_no_shorter_than_the_table_says(
    start: Start, google: Google, provider: str, asked: int, waited: int
) -> None:
    system = start(google.of(provider))
    google.fail("503", retry_after=asked)

    job = system.await_job(system.api.create(name=f"{system.mark} unlucky")["embedding_job"]["id"])

    assert (job["attempt"], [attempt["error_class"] for attempt in job["attempts"]]) == (2, ["server"])
    first, second = google.record(system.mark)
    assert waited - CLOCK <= second["at"] - first["at"] <= waited * JITTER + SLACK
    assert lane(system)["closed_until"] is None


@pytest.mark.parametrize(("asked", "waited"), [(150, 150), (5, 60)], ids=["longer", "shorter"])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_rate_limit_makes_everybody_wait_for_as_long_as_it_asks_but_no_shorter_than_a_minute(
    start: Start, google: Google, provider: str, asked: int, waited: int
) -> None:
    system = start(google.of(provider))
    replace_worker(system, EMBEDDING_RPM="1000")
    google.fail("429_minute", retry_after=asked)

    limited = system.api.create(name=f"{system.mark} limited")["embedding_job"]["id"]
    await_state(system, limited, "retrying")
    other = system.api.create(name=f"{system.mark} other")["embedding_job"]["id"]

    ((job_waits, lane_waits),) = system.sql(
        "SELECT extract(epoch FROM job.next_attempt_at - now())::float,"
        " coalesce(extract(epoch FROM lane.closed_until - now()), 0)::float"
        " FROM jobs_jobexecution AS job, jobs_lane AS lane WHERE job.id = %s",
        limited,
    )
    assert waited - SLACK < job_waits <= waited * JITTER
    assert waited - SLACK < lane_waits <= waited
    assert waited - SLACK < blocked_for(system) <= waited
    assert states(system, [other]) == {"queued": 1}
    assert google.statuses(system.mark) == {429: 1}

    resume(system)
    system.await_job(other)
    assert states(system, [limited]) == {"retrying": 1}
    make_due(system)
    assert system.await_job(limited)["attempt"] == 1


@pytest.mark.parametrize("row", PAUSING, ids=lambda row: row.fault)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_concerns_every_job_pauses_the_lane_and_costs_the_jobs_of_that_call(
    start: Start, google: Google, provider: str, row: Row
) -> None:
    system = start(google.of(provider))
    google.fail(row.fault)

    lost = [job["job_id"] for job in system.api.bulk(system.plant(3))["jobs"]]
    shown = await_pause(system)
    waiting = system.api.create(name=f"{system.mark} waiting")["embedding_job"]["id"]

    assert shown["paused_by"] == "system"
    for job_id in lost:
        dead = check_letter(system, job_id, row, attempts=1)
        assert shown["pause_reason"]
        # The exceeded quota, where there is one, stands before what the provider said.
        told = shown["pause_reason"]
        assert dead["failure_reason"].startswith((told, told.partition(": ")[2]))
    ((until, probe, closed),) = system.sql(
        "SELECT paused_until, extract(epoch FROM probe_at - paused_at)::int, closed_until FROM jobs_lane"
    )
    if row.error_class == "quota_exhausted":
        midnight = until.astimezone(ZoneInfo("America/Los_Angeles"))
        assert (midnight.hour, midnight.minute, midnight.second) == (0, 0, 0)
        assert timedelta() < until - datetime.now(UTC) <= timedelta(hours=25)
    else:
        assert until is None
    assert probe == (600 if row.error_class == "auth" else None)
    assert closed is None
    assert states(system, [waiting]) == {"queued": 1}
    assert len(google.record(system.mark)) == 1

    resume(system)
    job = system.await_job(waiting)

    assert (job["attempt"], job["attempts"]) == (1, [])
    assert states(system, lost) == {"dead": 3}
    assert len({letter(system, job_id)["fingerprint"] for job_id in lost}) == 1


def test_a_daily_quota_opens_the_lane_by_itself_at_its_end(start: Start, google: Google) -> None:
    system = start(google)
    replace_worker(system, EMBEDDING_BATCH_SIZE="20")
    google.take(0.3)
    google.fail("429_day", calls=1, after=1)
    system.api.bulk(system.plant(200))
    await_pause(system)

    (refused,) = [call for call in google.record(system.mark) if call["status"] == 429]
    jobs = system.jobs()
    assert jobs["dead"] == refused["texts"] == 20
    assert jobs["queued"] == 200 - 20 - jobs["succeeded"] > 0
    assert set(jobs) == {"dead", "queued", "succeeded"} or set(jobs) == {"dead", "queued"}
    google.take(0)

    system.sql("UPDATE jobs_lane SET paused_until = now()")
    system.until(lambda: system.jobs() == {"succeeded": 180, "dead": 20}, "the rest is embedded")

    assert not lane(system)["paused"]
    assert system.sql("SELECT DISTINCT attempt FROM jobs_jobexecution") == [(1,)]


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
