"""Enrichment with a real worker: from the save to the tags, by a run, and through outages."""

import json
from typing import Any

import pytest

from tests.flows.conftest import Start
from tests.flows.system import System
from tests.flows.trouble import Google, ask

pytestmark = pytest.mark.flow

SETTINGS = {"ENRICHMENT": "gemini", "LLM_RPM": "0", "LLM_TPM": "0", "LLM_RPD": "0"}
ANSWER = {
    "tags": ["wifi", "mongolian_cuisine"],
    "free_tags": ["бөөрөлзгөнө"],
    "summary_mn": "Монгол хоолны газар.",
    "summary_en": "A place with Mongolian food.",
    "opening_hours": [],
}


@pytest.fixture
def system(start: Start, google: Google) -> System:
    """A system that asks the stand-in, which answers."""
    google.say("<business>", json.dumps(ANSWER))
    return start(Google(google, **SETTINGS))


def known(system: System, business: dict[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = ask(system.api, "GET", f"/api/yellow-books/{business['id']}/enrichment")
    return shown


def await_state(system: System, business: dict[str, Any], state: str) -> dict[str, Any]:
    def reached() -> dict[str, Any]:
        shown = known(system, business)
        return shown if shown["state"] == state else {}

    return system.until(reached, f"its enrichment is {state}")


def prompts(system: System, google: Google) -> int:
    return sum("<business>" in text for texts in google.calls(system.mark) for text in texts)


def test_a_saved_business_is_enriched_once_and_again_by_a_run_with_another_prompt(
    system: System, google: Google
) -> None:
    business = system.api.create(name=f"Хаан бууз {system.mark}")
    shown = await_state(system, business, "done")
    assert [each["tag"] for each in shown["tags"]] == ["wifi", "mongolian_cuisine", "бөөрөлзгөнө"]
    found = ask(system.api, "GET", f"/api/search?q={system.mark}&tag=wifi")
    assert [each["business"]["id"] for each in found["results"]] == [business["id"]]

    system.api.change(business["id"], phone="77112233")
    process = f"/api/yellow-books/{business['id']}/process"
    again = ask(system.api, "POST", process, {"jobs": ["enrichment"]}, 202)
    assert system.await_job(again["enrichment_job"]["id"])["result"] == "unchanged"
    assert prompts(system, google) == 1

    told = system.manage("enrich_businesses", "--prompt-version", "enrichment-1", "--yes")
    assert "has begun: 1 businesses" in told
    ended = "SELECT FROM jobs_run WHERE kind = 'enrich_business' AND state = 'completed'"
    system.until(lambda: system.sql(ended), "the run has ended")
    assert known(system, business)["enrichment"]["prompt_version"] == "enrichment-1"
    assert prompts(system, google) == 2


def test_a_save_without_redis_is_enriched_once_it_is_back(system: System, google: Google) -> None:
    system.house.stop_redis()
    business = system.api.create(name=f"Хаан бууз {system.mark}")
    assert known(system, business)["state"] != "done"
    system.house.start_redis()
    await_state(system, business, "done")
    assert prompts(system, google) == 1


def test_while_the_model_is_away_it_says_delayed_and_catches_up_by_itself(system: System, google: Google) -> None:
    google.fail("500", marker="<business>")
    business = system.api.create(name=f"Хаан бууз {system.mark}")
    system.await_job(business["embedding_job"]["id"])
    shown = await_state(system, business, "delayed")
    assert "tried again by itself" in shown["why"]
    google.heal()
    await_state(system, business, "done")
