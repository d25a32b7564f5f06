"""Runs over the whole table: exact while the table changes, stopped, resumed, killed, one at a time, and foretold."""

import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.flows.conftest import Start
from tests.flows.sizes import Sizes
from tests.flows.system import System
from tests.flows.trouble import Google, ask, replace_worker

pytestmark = pytest.mark.flow

#: Texts of one call where a run shall not be over before it can be stopped.
BATCH = "10"
#: Rounds of two starts at once.
ROUNDS = 5
PER_MINUTE = 300


def begin(system: System, **options: Any) -> dict[str, Any]:
    """Start a run over the whole table."""
    found: dict[str, Any] = ask(system.api, "POST", "/api/admin/embeddings/generate-all", options, 202)
    return found


def shown(system: System, run_id: str) -> dict[str, Any]:
    """Show a run."""
    found: dict[str, Any] = ask(system.api, "GET", f"/api/admin/runs/{run_id}")
    return found


def await_run(system: System, run_id: str, state: str = "completed", *, within: float = 120) -> dict[str, Any]:
    """Wait until a run is in a state, and return it."""

    def there() -> dict[str, Any]:
        run = shown(system, run_id)
        assert run["state"] in {"running", "stopping", state}, run
        return run if run["state"] == state else {}

    return system.until(there, f"the run is {state}", within=within)


def await_share(system: System, run_id: str, share: float, *, within: float = 120) -> dict[str, Any]:
    """Wait until so much of a run is processed, and return it as it is then."""

    def reached() -> dict[str, Any]:
        run = shown(system, run_id)
        return run if run["processed"] >= share * run["total"] else {}

    return system.until(reached, f"{share:.0%} of the run is processed", within=within)


def check_exact(system: System, run: dict[str, Any]) -> None:
    """Compare what a run says with its rows."""
    rows = Counter(
        dict(
            system.sql(
                "SELECT CASE status WHEN 'dead' THEN 'failed' ELSE status END, count(*)"
                " FROM jobs_jobexecution WHERE run_id = %s GROUP BY 1",
                run["run_id"],
            )
        )
    )
    assert {name: run[name] for name in ("succeeded", "failed", "cancelled")} == {
        name: rows[name] for name in ("succeeded", "failed", "cancelled")
    }
    assert run["processed"] == run["total"] == rows.total() + run["skipped"]
    assert run["progress_percentage"] == 100


def test_a_run_is_exact_while_rows_are_added_changed_and_deleted_under_it(start: Start, sizes: Sizes) -> None:
    system = start()
    ids = system.plant(sizes.table)
    rng = random.Random(sizes.table)
    doomed, changed = ids[:7], ids[7:20]
    rng.shuffle(ids)

    run_id = begin(system)["run_id"]
    with ThreadPoolExecutor(3) as threads:
        threads.map(system.api.delete, doomed)
        threads.map(lambda each: system.api.change(each, description=f"changed {system.mark}"), changed)
        threads.map(lambda each: system.api.create(name=f"Added {system.mark} {each}"), range(9))
    run = await_run(system, run_id, within=sizes.within)
    system.until(lambda: not set(system.jobs()) & {"queued", "retrying", "running"}, "everything has ended")

    check_exact(system, run)
    assert run["failed"] <= len(doomed)
    # Whoever changed before its turn came had a job of its own, and needed the run no more.
    assert run["succeeded"] + run["skipped"] >= sizes.table - len(doomed) - len(changed)
    assert system.without_fresh_vector() == 0
    ((vectors, businesses),) = system.sql(
        "SELECT (SELECT count(*) FROM embeddings_embedding), (SELECT count(*) FROM directory_business)"
    )
    assert vectors == businesses == sizes.table - len(doomed) + 9


@pytest.mark.parametrize("seed", range(2))
def test_stopped_and_resumed_at_any_point_each_business_is_embedded_once(
    start: Start, google: Google, seed: int
) -> None:
    google.take(0.1)
    system = start(google)
    replace_worker(system, EMBEDDING_BATCH_SIZE=BATCH)
    system.plant(300)
    rng = random.Random(seed)

    run_id = begin(system)["run_id"]
    for share in sorted(rng.uniform(0.05, 0.9) for _ in range(2)):
        await_share(system, run_id, share)
        assert ask(system.api, "POST", "/api/admin/embeddings/stop")["stopped"]
        stopped = await_run(system, run_id, "stopped")
        assert stopped["processed"] <= 300
        assert system.jobs().keys() <= {"succeeded", "cancelled"}
        ask(system.api, "POST", f"/api/admin/runs/{run_id}/resume")
    run = await_run(system, run_id)

    check_exact(system, run)
    assert (run["succeeded"], run["cancelled"]) == (300, 0)
    assert set(google.texts(system.mark).values()) == {1}
    assert len(google.texts(system.mark)) == 300


def test_when_everything_is_killed_the_run_goes_on_with_what_is_started_again(start: Start, google: Google) -> None:
    google.take(0.2)
    system = start(google)
    replace_worker(system, number=2, EMBEDDING_BATCH_SIZE=BATCH)
    system.plant(300)

    run_id = begin(system)["run_id"]
    await_share(system, run_id, 0.4)
    for worker in list(system.workers):
        system.kill(worker)
    system.house.stop_redis()
    ((held,),) = system.sql("SELECT coalesce(sum(size), 0) FROM jobs_lease")
    assert shown(system, run_id)["state"] == "running"
    system.house.start_redis()
    system.house.flush_redis()
    system.start_worker(EMBEDDING_BATCH_SIZE=BATCH)
    run = await_run(system, run_id)

    check_exact(system, run)
    assert run["succeeded"] == 300
    sent = google.texts(system.mark)
    assert len(sent) == 300
    assert sent.total() - 300 <= held, "only what was under way is sent again"
    assert system.without_fresh_vector() == 0


def test_of_two_starts_at_once_one_runs_every_time(start: Start, google: Google) -> None:
    google.take(1)
    system = start(google)
    system.plant(20)
    path = "/api/admin/embeddings/generate-all"

    for _ in range(ROUNDS):
        with ThreadPoolExecutor(2) as threads:
            answers = list(threads.map(lambda _: system.api.http.post(path, json={"force": True}), range(2)))
        made, refused = sorted(answers, key=lambda answer: answer.status_code)
        assert (made.status_code, refused.status_code) == (202, 409)
        run_id = made.json()["run_id"]
        assert refused.json()["error"]["fields"]["run_id"] == [run_id]
        assert made.headers["Location"] == refused.headers["Location"] == f"/api/admin/runs/{run_id}"
        ask(system.api, "POST", "/api/admin/embeddings/stop")
        await_run(system, run_id, "stopped")


def test_where_it_begins_what_exists_and_force_do_what_they_say(start: Start, google: Google) -> None:
    system = start(google)
    ids = sorted(system.plant(60))

    after = await_run(system, begin(system, resume_from=ids[29])["run_id"])
    assert (after["total"], after["results"]) == (30, {"embedded": 30})
    rows = system.sql("SELECT DISTINCT subject FROM jobs_jobexecution ORDER BY subject")
    assert [subject for (subject,) in rows] == ids[30:]

    rest = await_run(system, begin(system)["run_id"])
    assert (rest["total"], rest["results"]) == (30, {"embedded": 30})

    google.reset()
    looked_at = await_run(system, begin(system, skip_existing=False)["run_id"])
    assert (looked_at["total"], looked_at["results"], google.texts(system.mark).total()) == (60, {"unchanged": 60}, 0)

    forced = await_run(system, begin(system, force=True)["run_id"])
    assert (forced["total"], forced["results"]) == (60, {"embedded": 60})
    assert set(google.texts(system.mark).values()) == {1}
    assert len(google.texts(system.mark)) == 60


def test_the_end_under_a_quota_is_foretold_to_within_15_percent(start: Start, google: Google, sizes: Sizes) -> None:
    if not sizes.metered:
        pytest.skip("takes real minutes: --full-size. The forecast is tested against a simulation of the throttle")
    google.allow(PER_MINUTE)
    system = start(Google(google, EMBEDDING_RPM=str(PER_MINUTE)))
    system.plant(sizes.metered)

    run_id = begin(system)["run_id"]
    early = await_share(system, run_id, 0.2)
    began = time.monotonic()
    run = await_run(system, run_id, within=sizes.within)
    took = time.monotonic() - began

    assert early["eta_seconds"] == pytest.approx(took, rel=0.15), early["forecast"]
    assert google.statuses(system.mark).keys() == {200}
    check_exact(system, run)
