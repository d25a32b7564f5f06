"""Rows of the retry table that are tried again, from the wire to the dead letter, with both of Google's SDKs."""

from functools import partial
from itertools import pairwise

import pytest

from tests.flows.conftest import Start
from tests.flows.retry_table import CLOCK, JITTER, PROVIDERS, SLACK, Row, check_letter
from tests.flows.trouble import (
    Google,
    ask,
    await_state,
    blocked_for,
    lane,
    letters,
    make_due,
    replace_worker,
    resume,
    states,
)

pytestmark = pytest.mark.flow

#: The embedding timeout of the flow with calls that hang, in seconds.
TIMEOUT = 1.0
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
