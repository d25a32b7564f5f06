"""Poisoned texts, keys that are revoked, faults at random: what fails, what waits, what is tried again."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import pytest

from tests.flows.conftest import Start
from tests.flows.standin import StandIn
from tests.flows.trouble import (
    Google,
    ask,
    await_pause,
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

#: Two calls for every halving of a hundred texts, the first call, and one for good measure.
MOST_CALLS = 16
#: Texts of one call, where a flow needs many calls.
SMALL_BATCH = "20"
#: Calls of one lane at once.
CONCURRENCY = 5
#: Faults that pass: what they hit is tried again.
PASSING = ["500", "503", "reset", "truncate", "bad_json", "wrong_count", "nan", "null"]


@pytest.fixture
def google(standin: StandIn) -> Iterator[Google]:
    with steered(standin) as google:
        yield google


@pytest.mark.parametrize("provider", ["gemini", "google-generativeai"])
def test_one_poisoned_text_among_a_hundred_is_the_only_one_that_fails(
    start: Start, google: Google, provider: str
) -> None:
    system = start(google.of(provider))
    ids = system.plant(100)
    poisoned = ids[36]
    system.sql("UPDATE directory_business SET name = name || ' poison' WHERE id = %s", poisoned)
    google.fail("400", marker=f"{system.mark} 37 poison")

    jobs = {job["business_id"]: job["job_id"] for job in system.api.bulk(ids)["jobs"]}
    system.until(lambda: system.jobs() == {"succeeded": 99, "dead": 1}, "all but one are embedded")

    calls = google.record(system.mark)
    assert len(calls) <= MOST_CALLS
    rejected = [call["texts"] for call in calls if call["status"] == 400]
    assert (rejected[0], rejected[-1]) == (100, 1)
    assert all(2 * later <= earlier + 1 for earlier, later in pairwise(rejected))
    dead = letter(system, jobs[poisoned])
    assert dead["payload"]["business_id"] == poisoned
    assert (dead["error_class"], dead["error_details"]["status_code"], dead["attempts"]) == ("invalid_input", 400, 1)
    assert "INVALID_ARGUMENT" in dead["failure_reason"]
    assert letters(system)["total_failed"] == 1
    assert system.sql("SELECT DISTINCT attempt, split_size FROM jobs_jobexecution WHERE status = 'succeeded'") == [
        (1, 0)
    ]
    assert system.sql("SELECT count(*) FROM jobs_attempt") == [(1,)]
    assert system.without_fresh_vector() == 1
    assert not lane(system)["paused"]


def test_a_key_revoked_in_a_bulk_costs_the_calls_in_flight_and_one_retry_completes_all(
    start: Start, google: Google
) -> None:
    system = start(google)
    replace_worker(system, EMBEDDING_BATCH_SIZE=SMALL_BATCH)
    google.take(0.5)
    system.api.bulk(system.plant(400))
    system.until(lambda: system.jobs()["succeeded"], "the bulk is in its middle")

    google.revoke()
    paused = await_pause(system)

    assert "API key not valid" in paused["pause_reason"]
    assert (paused["paused_by"], paused["paused_until"]) == ("system", None)
    refused = [call for call in google.record(system.mark) if call["status"] == 400]
    after = system.jobs()
    assert 0 < len(refused) <= CONCURRENCY
    assert after["dead"] == sum(call["texts"] for call in refused)
    assert (after["retrying"], after["running"]) == (0, 0)
    assert after["queued"] == 400 - after["dead"] - after["succeeded"] > 0
    assert system.sql("SELECT DISTINCT attempt FROM jobs_jobexecution WHERE status = 'queued'") == [(1,)]
    assert letters(system)["by_error_class"] == {"auth": after["dead"]}
    (cause,) = ask(system.api, "GET", "/api/admin/dlq/causes")
    assert cause["count"] == after["dead"]

    google.restore()
    google.take(0)
    resume(system)
    system.until(lambda: not system.jobs()["queued"] and not system.jobs()["running"], "the rest is embedded")
    assert system.jobs() == {"succeeded": 400 - after["dead"], "dead": after["dead"]}
    wanted = {"error_class": "auth"}
    assert ask(system.api, "POST", "/api/admin/dlq/retry", {**wanted, "dry_run": True})["requeued"] == after["dead"]
    assert ask(system.api, "POST", "/api/admin/dlq/retry", wanted) == {"requeued": after["dead"], "skipped": 0}
    system.await_success(400)

    assert letters(system)["total_failed"] == 0
    assert system.without_fresh_vector() == 0
    retried = "SELECT count(*), min(attempt), max(attempt) FROM jobs_jobexecution WHERE operation = 'retry'"
    assert system.sql(retried) == [(after["dead"], 1, 1)]
    assert ask(system.api, "POST", "/api/admin/dlq/retry", wanted) == {"requeued": 0, "skipped": 0}


def test_a_paused_lane_is_probed_and_opens_when_the_key_is_back(start: Start, google: Google) -> None:
    system = start(google)
    google.revoke()
    first = system.api.create(name=f"{system.mark} first")["embedding_job"]["id"]
    await_pause(system)
    waiting = system.api.create(name=f"{system.mark} waiting")["embedding_job"]["id"]
    ((wait,),) = system.sql("SELECT extract(epoch FROM probe_at - paused_at)::int FROM jobs_lane")
    assert wait == 600
    before = len(google.record())

    system.sql("UPDATE jobs_lane SET probe_at = now()")
    system.until(lambda: len(google.record()) > before, "the lane is probed")
    system.until(
        lambda: system.sql("SELECT FROM jobs_lane WHERE probe_at > now() + interval '5 minutes'"),
        "the next probe is far away",
    )
    assert lane(system)["paused"]
    assert states(system, [waiting]) == {"queued": 1}

    google.restore()
    system.sql("UPDATE jobs_lane SET probe_at = now()")
    job = system.await_job(waiting)

    assert (job["attempt"], job["attempts"]) == (1, [])
    assert not lane(system)["paused"]
    probes = [call for call in google.record() if call["text"] == ["yellow book"]]
    assert [call["status"] for call in probes] == [400, 200]
    assert states(system, [first]) == {"dead": 1}


def test_two_operators_retry_the_same_dead_letters_and_each_is_requeued_once(start: Start, google: Google) -> None:
    system = start(google)
    google.revoke()
    system.api.bulk(system.plant(100))
    await_pause(system)
    assert system.jobs() == {"dead": 100}
    google.restore()

    def ask_for_all(number: int) -> Any:
        return ask(system.api, "POST", "/api/admin/dlq/retry", {"error_class": "auth"})

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(ask_for_all, range(4)))

    assert sum(answer["requeued"] for answer in answers) == 100
    assert system.jobs() == {"queued": 100}
    resume(system)
    system.await_success(100)
    assert google.statuses(system.mark) == {400: 1, 200: 1}
    assert system.sql("SELECT resolution, count(*) FROM jobs_deadletter GROUP BY resolution") == [("retried", 100)]


def test_after_faults_at_random_every_business_is_embedded_or_in_the_dead_letters(start: Start, google: Google) -> None:
    system = start(google)
    replace_worker(system, EMBEDDING_BATCH_SIZE="10")
    google.fail(PASSING, probability=0.3, seed=20260, marker=system.mark)  # type: ignore[arg-type]
    system.api.bulk(system.plant(300))

    def over() -> bool:
        make_due(system)
        return not (system.jobs().keys() - {"succeeded", "dead"})

    system.until(over, "nothing waits or runs any more")

    jobs = system.jobs()
    assert jobs.total() == 300
    assert system.results()["embedded"] == jobs["succeeded"]
    assert system.without_fresh_vector() == jobs["dead"]
    assert system.sql("SELECT count(*) FROM jobs_lease") == [(0,)]
    assert system.sql("SELECT count(*) FROM jobs_jobexecution WHERE lease_id IS NOT NULL") == [(0,)]
    shown = letters(system)
    assert shown["total_failed"] == jobs["dead"] == sum(shown["by_error_class"].values())
    assert set(shown["by_error_class"]) <= {"network", "server", "bad_response"}
    assert system.sql("SELECT DISTINCT attempts FROM jobs_deadletter WHERE attempts <> 4") == []
    stats = system.api.stats()
    assert (stats["total"], stats["with_embeddings"], stats["stale"]) == (300, jobs["succeeded"], 0)
    assert (lane(system)["waiting"], lane(system)["running"], lane(system)["paused"]) == (0, 0, False)
    failures = system.sql(
        "SELECT job.status, job.attempt, count(attempt.id) FROM jobs_jobexecution AS job"
        " LEFT JOIN jobs_attempt AS attempt ON attempt.job_id = job.id GROUP BY job.id"
    )
    assert all(failed == attempt - (status == "succeeded") for status, attempt, failed in failures)
    assert Counter(call["fault"] for call in google.record(system.mark)).keys() - {None}
