"""The collections of a day with real workers: one is killed at work, Redis is away, days were missed."""

import json
from typing import Any

import pytest

from tests.flows.conftest import Start
from tests.flows.system import System
from tests.flows.trouble import Google, ask

pytestmark = pytest.mark.flow

SETTINGS = {"LLM_RPM": "0", "LLM_TPM": "0", "LLM_RPD": "0", "CURATION_COLLECTIONS": "3", "CURATION_BUSINESSES": "3"}
SURFACES = {"home", "discovery", "occasion"}

#: The worker that makes a set.
AT_WORK = """
SELECT worker.pid
  FROM jobs_workerprocess AS worker
  JOIN jobs_lease AS lease ON lease.worker = worker.name
  JOIN jobs_jobexecution AS job ON job.lease_id = lease.id AND job.status = 'running'
 WHERE job.kind = 'curate_collections' AND lease.progress = 50
"""
#: The time of day was over two days ago, and nobody was there.
LET_THE_DAY_COME = (
    "UPDATE jobs_periodictask SET next_due_at = now() - interval '2 days' WHERE name = 'plan_collections'"
)


def jobs(system: System, kind: str) -> list[tuple[str, str]]:
    return system.sql("SELECT status, result FROM jobs_jobexecution WHERE kind = %s ORDER BY created_at", kind)


def shown(system: System, surface: str = "home") -> dict[str, Any]:
    found: dict[str, Any] = ask(system.api, "GET", f"/api/collections?surface={surface}")
    return found


def set_of(system: System, surface: str) -> dict[str, Any]:
    (found,) = ask(system.api, "GET", f"/api/collections/sets?surface={surface}")["results"]
    told: dict[str, Any] = ask(system.api, "GET", f"/api/collections/sets/{found['id']}")
    return told


def test_a_missed_day_is_made_good_once_by_two_workers_though_one_is_killed_and_titles_wait_for_nobody(
    start: Start, google: Google
) -> None:
    titles = [{"number": n, "title_mn": f"Сонголт {n}", "title_en": f"Choice {n}"} for n in (1, 2, 3)]
    google.say("<collections>", json.dumps({"titles": titles}))
    system = start(Google(google, **SETTINGS))
    system.start_worker()
    for number in range(9):
        system.api.create(name=f"{system.mark} {number}", category=f"Ангилал {number // 3}")
    system.until(lambda: system.without_fresh_vector() == 0, "everybody has a vector")
    known = "SELECT FROM jobs_periodictask WHERE name = 'plan_collections' AND next_due_at > now()"
    system.until(lambda: system.sql(known), "the leader knows the schedule")

    system.house.stop_redis()
    google.fail("timeout", marker="<collections>", calls=1)
    system.sql(LET_THE_DAY_COME)
    system.until(lambda: jobs(system, "plan_collections"), "the day has come")
    system.house.start_redis()
    ((pid,),) = system.until(lambda: system.sql(AT_WORK), "a worker asks for titles")
    (worker,) = [each for each in system.workers if pid in each.pids]
    system.kill(worker)

    made = "SELECT surface, count(*) FROM curation_collectionset WHERE made = wanted GROUP BY surface"
    system.until(lambda: {each for each, _ in system.sql(made)} == SURFACES, "every surface has its set")
    assert {count for _, count in system.sql(made)} == {1}
    assert jobs(system, "plan_collections") == [("succeeded", "planned")]
    assert jobs(system, "curate_collections") == [("succeeded", "curated")] * 3
    assert system.sql("SELECT missed FROM jobs_periodictask WHERE name = 'plan_collections'") == [(1,)]
    collections = shown(system)["collections"]
    businesses = [business["id"] for each in collections for business in each["businesses"]]
    assert len(businesses) == len(set(businesses)) > 3
    page = system.api.http.get("/").text
    assert all(each["title_en"] in page for each in collections)
    assert collections[0]["title_en"] == "Choice 1"
    assert all(f"/business/{business}" in page for business in businesses)

    system.sql(LET_THE_DAY_COME)
    again = [("succeeded", "planned")] * 2
    system.until(lambda: jobs(system, "plan_collections") == again, "the schedule has had another turn")
    assert len(jobs(system, "curate_collections")) == 3

    google.fail("500", marker="<collections>")
    asked = {"surface": "home", "date": shown(system)["date"], "collections_count": 1}
    anew = ask(system.api, "POST", "/api/collections/regenerate", asked, 202)
    assert system.await_job(anew["job"]["id"])["result"] == "curated"
    told = set_of(system, "home")
    assert (told["state"], told["why"]) == ("ready", "The model did not answer, so titles are from templates.")
    assert [each["titled_by"] for each in told["collections"]] == ["template"]
