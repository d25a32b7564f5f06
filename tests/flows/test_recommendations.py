"""Recommendations from the questionnaire on, with a real worker and the stand-in; Redis and the provider go away."""

from typing import Any

import pytest

from tests.flows.conftest import Start
from tests.flows.system import System
from tests.flows.trouble import Google, ask

pytestmark = pytest.mark.flow

PROFILE, RECOMMENDATIONS = "/api/taste-profile", "/api/recommendations"


def state(system: System) -> str:
    """Return where the vector of the present answers stands."""
    return str(ask(system.api, "GET", PROFILE)["embedding"]["state"])


def recommended(system: System) -> list[str]:
    """Return the names of what is recommended now."""
    return [each["business"]["name"] for each in ask(system.api, "GET", RECOMMENDATIONS)["results"]]


def complete(system: System, about: str, expected: int = 200) -> dict[str, Any]:
    """Complete the questionnaire."""
    answers = {"cities": ["Улаанбаатар"], "about": f"{about} {system.mark}"}
    return dict(ask(system.api, "PUT", PROFILE, answers, expected)["embedding"])


def test_a_taste_is_embedded_and_recommended_from_though_redis_and_the_provider_go_away(
    start: Start, google: Google
) -> None:
    system = start(google)
    city = "Улаанбаатар"
    for name, category, text in (
        ("Модерн Номадс", "Ресторан", "Монгол хоол, бууз, хуушуур"),
        ("Номин", "Ресторан", "Монгол хоол, бууз, цуйван"),
        ("Кофе Бин", "Кафе", "Кофе, бялуу, тайван орчин"),
        ("Кофе Хаус", "Кафе", "Кофе, бялуу, ном"),
    ):
        system.api.create(name=name, category=category, description=text, city=city, address=city)
    system.until(lambda: system.without_fresh_vector() == 0, "the businesses are embedded")

    system.house.stop_redis()
    saved = complete(system, "кофе, бялуу", expected=201)
    asked = system.api.http.get(RECOMMENDATIONS)
    assert (asked.status_code, asked.json()["job_id"]) == (202, saved["job_id"])
    assert asked.headers["location"] == PROFILE
    system.house.start_redis()
    system.until(lambda: state(system) == "embedded", "the answers are embedded once Redis is back")
    first = ask(system.api, "GET", RECOMMENDATIONS)["results"]
    assert {first[0]["business"]["category"], first[0]["reasons"][0]["code"]} == {"Кафе", "city"}

    (liked,) = [each["id"] for each in system.api.listed("/api/yellow-books") if each["name"] == "Номин"]
    ask(system.api, "PUT", f"{PROFILE}/opinions/{liked}", {"liked": True}, expected=201)
    moved = ask(system.api, "GET", RECOMMENDATIONS)["results"]
    near = {each["business"]["name"]: each["reasons"][0] for each in moved}
    assert near["Модерн Номадс"]["text"] == "similar to what you like: Номин"
    before = [each["business"]["name"] for each in first if each["business"]["name"] != "Номин"]
    assert list(near) != before

    google.fail("503", marker=system.mark)
    complete(system, "бууз, хуушуур")
    system.until(lambda: state(system) == "delayed", "it says that it is delayed")
    assert set(recommended(system)) == set(near), "the earlier answers serve meanwhile"
    google.heal()
    system.until(lambda: state(system) == "embedded", "it catches up by itself")
    assert recommended(system)[0] == "Модерн Номадс"
    assert len(google.embedded(system.mark)) == 2
