"""Poisoned texts, keys that are revoked, faults at random: what fails, what waits, what is tried again."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import pairwise
from threading import Barrier
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from jobs.lifecycle.circuit import MAX_REJECTIONS
from tests.flows.api import Api
from tests.flows.conftest import Start
from tests.flows.sizes import Sizes
from tests.flows.system import System
from tests.flows.trouble import (
    Google,
    ask,
    await_pause,
    causes,
    forget_calls,
    lane,
    letter,
    letters,
    make_due,
    reopen,
    replace_worker,
    resume,
    retry_cause,
    states,
    tallies,
)

pytestmark = pytest.mark.flow

#: Two calls for every halving of a hundred texts, the first call, and one for good measure.
MOST_CALLS = 16
#: Texts of one call, where a flow needs many calls.
SMALL_BATCH = "20"
#: Calls of one lane at once.
CONCURRENCY = 5
#: Faults that pass: what they hit is tried again.
PASSING = ["500", "503", "reset", "close", "truncate", "timeout", "bad_json", "wrong_count", "nan", "null"]
#: Their classes. A job that met them too often is dead, and "retry" may help; the others' reasons are permanent.
PASSING_CLASSES = {"network", "server", "bad_response"}
#: Seconds after which a call is given up that meets a timeout; short, as there are many.
TIMEOUT = "2"
#: People who press "retry" in the same moment.
OPERATORS = 4


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
    start: Start, google: Google, sizes: Sizes
) -> None:
    system = start(google)
    replace_worker(system, EMBEDDING_BATCH_SIZE=SMALL_BATCH)
    google.take(0.5)
    system.api.bulk(system.plant(sizes.revoked))
    system.until(lambda: system.jobs()["succeeded"], "the bulk is in its middle")

    google.revoke()
    paused = await_pause(system)

    assert "API key not valid" in paused["pause_reason"]
    assert (paused["paused_by"], paused["paused_until"], paused["circuit"]) == ("system", None, "auth")
    refused = [call for call in google.record(system.mark) if call["status"] == 400]
    after = system.jobs()
    assert 0 < len(refused) <= CONCURRENCY
    assert after["dead"] == sum(call["texts"] for call in refused)
    assert (after["retrying"], after["running"]) == (0, 0)
    assert after["queued"] == sizes.revoked - after["dead"] - after["succeeded"] > 0
    assert system.sql("SELECT DISTINCT attempt FROM jobs_jobexecution WHERE status = 'queued'") == [(1,)]
    assert letters(system)["by_error_class"] == {"auth": after["dead"]}
    (cause,) = causes(system)
    assert cause["count"] == after["dead"]

    google.restore()
    google.take(0)
    resume(system)
    system.until(lambda: not system.jobs()["queued"] and not system.jobs()["running"], "the rest is embedded")
    assert system.jobs() == {"succeeded": sizes.revoked - after["dead"], "dead": after["dead"]}
    assert retry_cause(system, cause, dry_run=True)["requeued"] == after["dead"]
    assert retry_cause(system, cause) == {"requeued": after["dead"], "skipped": 0}
    system.await_success(sizes.revoked, within=sizes.within)

    assert letters(system)["total_failed"] == 0
    assert system.without_fresh_vector() == 0
    retried = "SELECT count(*), min(attempt), max(attempt) FROM jobs_jobexecution WHERE operation = 'retry'"
    assert system.sql(retried) == [(after["dead"], 1, 1)]
    assert retry_cause(system, cause) == {"requeued": 0, "skipped": 0}
    assert len(google.record(system.mark)) <= sizes.revoked // int(SMALL_BATCH) + 2 * CONCURRENCY
    assert set(google.embedded(system.mark).values()) == {1}


def test_a_paused_lane_is_probed_and_opens_when_the_key_is_back(start: Start, google: Google) -> None:
    system = start(google)
    forget_calls(system, google)
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


def bury_all(system: System, google: Google, number: int) -> None:
    """Have `number` jobs die of a revoked key, however many of them it takes to pause the lane each time."""
    google.revoke()
    system.api.bulk(system.plant(number))

    def dead() -> bool:
        shown, jobs = lane(system), system.jobs()
        if shown["paused"] and not shown["running"] and jobs["queued"]:
            resume(system)
        return jobs == {"dead": number}

    system.until(dead, "all are dead")
    await_pause(system)
    google.restore()


def test_operators_who_retry_the_same_dead_letters_at_once_requeue_each_of_them_once(
    start: Start, google: Google, sizes: Sizes
) -> None:
    system = start(google)
    bury_all(system, google, sizes.retried)
    together = Barrier(OPERATORS)

    def press_retry(client: Api) -> dict[str, int]:
        together.wait()
        answer: dict[str, int] = ask(client, "POST", "/api/admin/dlq/retry", {"error_class": "auth"})
        return answer

    with ExitStack() as stack, ThreadPoolExecutor(OPERATORS) as threads:
        clients = [system.api.another() for _ in range(OPERATORS)]
        for client in clients:
            stack.callback(client.http.close)
            assert client.ready()
        answers = list(threads.map(press_retry, clients))

    assert sum(answer["requeued"] for answer in answers) == sizes.retried
    assert all(answer["requeued"] + answer["skipped"] <= sizes.retried for answer in answers)
    assert system.jobs() == {"queued": sizes.retried}
    resume(system)
    system.await_success(sizes.retried, within=sizes.within)
    embedded = google.embedded(system.mark)
    assert (len(embedded), embedded.total()) == (sizes.retried, sizes.retried)
    assert system.sql("SELECT resolution, count(*) FROM jobs_deadletter GROUP BY resolution") == [
        ("retried", sizes.retried)
    ]


def test_a_bulk_whose_every_text_is_rejected_pauses_the_lane_and_one_retry_completes_all(
    start: Start, google: Google, sizes: Sizes
) -> None:
    system = start(google)
    google.fail("400", marker=system.mark)
    system.api.bulk(system.plant(sizes.rejected))

    paused = await_pause(system)

    jobs = system.jobs()
    assert (paused["paused_by"], paused["paused_until"], paused["circuit"]) == ("system", None, "batch_rejected")
    assert "every input is rejected" in paused["pause_reason"]
    assert MAX_REJECTIONS <= jobs["dead"] < MAX_REJECTIONS + CONCURRENCY
    assert jobs == {"dead": jobs["dead"], "queued": sizes.rejected - jobs["dead"]}
    assert system.sql("SELECT DISTINCT attempt, deliveries FROM jobs_jobexecution WHERE status = 'queued'") == [(1, 0)]
    alone = [call for call in google.record(system.mark) if call["texts"] == 1]
    assert len(alone) == jobs["dead"]
    assert google.statuses(system.mark).keys() == {400}
    (cause,) = causes(system)
    assert (cause["error_class"], cause["count"]) == ("invalid_input", jobs["dead"])

    google.heal()
    assert retry_cause(system, cause) == {"requeued": jobs["dead"], "skipped": 0}
    assert system.jobs() == {"queued": sizes.rejected}
    resume(system)
    system.await_success(sizes.rejected, within=sizes.within)

    assert not lane(system)["paused"]
    assert letters(system)["total_failed"] == 0
    assert system.without_fresh_vector() == 0
    embedded = google.embedded(system.mark)
    assert (len(embedded), embedded.total()) == (sizes.rejected, sizes.rejected)


def metrics(system: System, name: str, *labels: str) -> Counter[tuple[str, ...]]:
    """Return the samples of a metric by the values of some of its labels, added up over the others."""
    found: Counter[tuple[str, ...]] = Counter()
    for family in text_string_to_metric_families(system.api.http.get("/metrics").text):
        for sample in family.samples:
            if sample.name == name:
                found[tuple(sample.labels[label] for label in labels)] += int(sample.value)
    return found


def check_counters(system: System, google: Google, run: dict[str, Any]) -> None:
    """Check that everything that counts agrees with the rows, when nothing waits or runs."""
    jobs, dead = system.jobs(), letters(system)
    by_class = Counter(
        dict(
            system.sql(
                "SELECT error_class, count(*) FROM jobs_deadletter WHERE resolved_at IS NULL GROUP BY error_class"
            )
        )
    )
    total = jobs.total()
    # Dead letters: summary, causes, pages.
    assert (dead["total_failed"], dead["by_error_class"]) == (jobs["dead"], dict(by_class))
    assert sum(cause["count"] for cause in causes(system)) == jobs["dead"]
    listed = system.api.listed("/api/admin/dlq?resolved=false&page_size=500")
    assert Counter(entry["error_class"] for entry in listed) == by_class
    assert len({entry["job_id"] for entry in listed}) == jobs["dead"]
    # Coverage.
    stats = system.api.stats()
    assert (stats["total"], stats["with_embeddings"], stats["stale"]) == (total, jobs["succeeded"], 0)
    assert stats["without_embeddings"] == system.without_fresh_vector() == jobs["dead"]
    assert stats["coverage_percentage"] == round(100 * jobs["succeeded"] / total, 2)
    assert (sum(model["count"] for model in stats["by_model"]), stats["oldest_waiting_seconds"]) == (
        jobs["succeeded"],
        None,
    )
    # The lane, and the run with its jobs.
    shown = lane(system)
    assert (shown["waiting"], shown["running"], shown["paused"]) == (0, 0, False)
    of_run = system.api.listed(f"/api/admin/jobs?run_id={run['run_id']}&page_size=500")
    assert Counter(job["status"] for job in of_run) == jobs
    told = ask(system.api, "GET", f"/api/admin/runs/{run['run_id']}")
    assert (told["total"], told["processed"], told["succeeded"], told["failed"]) == (
        total,
        total,
        jobs["succeeded"],
        jobs["dead"],
    )
    assert (told["cancelled"], told["skipped"], told["progress_percentage"]) == (0, 0, 100)
    assert told["results"] == {"embedded": jobs["succeeded"]}
    assert {failure["error_class"]: failure["count"] for failure in told["failures"]} == by_class
    # Metrics.
    assert metrics(system, "yellowbook_jobs_finished_last_hour", "status") == {
        (status,): number for status, number in jobs.items()
    }
    assert metrics(system, "yellowbook_dead_letters") == {(): jobs["dead"]}
    assert metrics(system, "yellowbook_businesses", "embedding") == {
        ("present",): jobs["succeeded"],
        ("missing",): jobs["dead"],
        ("stale",): 0,
    }
    # The workers: an attempt ended well or has a row. They tell with their next heartbeat.
    ((failed,),) = system.sql("SELECT count(*) FROM jobs_attempt")
    ended = (jobs["succeeded"] + failed, failed)
    system.until(lambda: tallies(system) == ended, f"the workers tell of {ended} attempts and failures")
    # Calls of the provider.
    ((calls, texts),) = system.sql("SELECT sum(calls)::int, sum(texts)::int FROM embeddings_providerusage")
    record = google.record(system.mark)
    assert (calls, texts) == (len(record), sum(call["texts"] for call in record))


def test_after_faults_at_random_every_business_is_embedded_or_dead_for_a_reason_and_all_counters_agree(
    start: Start, google: Google, sizes: Sizes
) -> None:
    system = start(google)
    replace_worker(system, number=2, EMBEDDING_BATCH_SIZE=str(sizes.mixed_batch), EMBEDDING_TIMEOUT=TIMEOUT)
    forget_calls(system, google)
    ids = system.plant(sizes.mixed)
    poisoned = ids[:: len(ids) // sizes.poisoned][: sizes.poisoned]
    system.sql("UPDATE directory_business SET name = 'poison ' || name WHERE id = ANY(%s::uuid[])", poisoned)
    google.fail("400", marker=f"poison Planted {system.mark}")
    # At least one whose retries are used up; those that share its calls fail with it.
    unlucky = ids[1]
    system.sql("UPDATE directory_business SET name = 'unlucky ' || name WHERE id = %s", unlucky)
    google.fail("503", marker=f"unlucky Planted {system.mark}")
    for call in (5, 20):
        google.fail("429_minute", calls=1, after=call, marker=system.mark, retry_after=1)
    google.fail(PASSING, probability=0.3, seed=20260, marker=system.mark)
    run = system.api.bulk(ids)

    def over() -> bool:
        if not sizes.real_time:
            make_due(system)
            reopen(system)
        return not (system.jobs().keys() - {"succeeded", "dead"})

    system.until(over, "nothing waits or runs any more", within=sizes.within)

    jobs = system.jobs()
    assert jobs.total() == sizes.mixed
    assert system.results()["embedded"] == jobs["succeeded"]
    assert system.sql("SELECT count(*) FROM jobs_lease") == [(0,)]
    assert system.sql("SELECT count(*) FROM jobs_jobexecution WHERE lease_id IS NOT NULL") == [(0,)]
    assert set(letters(system)["by_error_class"]) <= {"invalid_input", *PASSING_CLASSES}
    rejected = {
        subject for (subject,) in system.sql("SELECT subject FROM jobs_deadletter WHERE error_class = 'invalid_input'")
    }
    assert rejected == set(poisoned)
    ends = system.sql(
        "SELECT job.status, job.error_class, job.attempt, job.rate_limits, letter.attempts, count(attempt.id)"
        " FROM jobs_jobexecution AS job LEFT JOIN jobs_attempt AS attempt ON attempt.job_id = job.id"
        " LEFT JOIN jobs_deadletter AS letter ON letter.job_id = job.id GROUP BY job.id, letter.id"
    )
    assert len(ends) == sizes.mixed
    for status, error_class, attempt, rate_limits, told, failed in ends:
        assert failed == attempt + rate_limits - (status == "succeeded")
        assert told == (failed if status == "dead" else None)
        assert attempt == 4 or error_class not in PASSING_CLASSES
    met = Counter(call["fault"] for call in google.record(system.mark))
    assert met["429_minute"] == 2
    assert met.keys() & set(PASSING)
    assert system.sql("SELECT count(DISTINCT worker) FROM jobs_jobexecution") == [(2,)]
    check_counters(system, google, run)

    google.heal()
    google.fail("400", marker=f"poison Planted {system.mark}")
    assert system.api.listed("/api/admin/jobs?status=dead&error_class=server&business_id=" + unlucky)
    passed = [cause for cause in causes(system) if cause["error_class"] in PASSING_CLASSES]
    assert sum(retry_cause(system, cause)["requeued"] for cause in passed) == jobs["dead"] - sizes.poisoned > 0
    system.until(
        lambda: system.jobs() == {"succeeded": sizes.mixed - sizes.poisoned, "dead": sizes.poisoned},
        "all but the poisoned are embedded",
        within=sizes.within,
    )
    check_counters(system, google, run)
