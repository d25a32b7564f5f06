"""From the questionnaire to recommendations, by the stand-in."""

import pytest
from rest_framework.test import APIClient

from embeddings.standin.service import StandIn
from yellowbook.directory.models import Business

from .conftest import PROFILE, RECOMMENDATIONS, jobs, names, texts, work

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_completed_questionnaire_waits_for_its_vector_and_then_recommends_with_reasons(
    mine: APIClient, businesses: dict[str, Business], standin: StandIn
) -> None:
    given = {"categories": ["Кафе"], "cities": ["Улаанбаатар"], "price_levels": [2], "about": "кофе, бялуу"}
    saved = mine.put(PROFILE, given)
    assert saved.status_code == 201
    assert saved.json()["embedding"]["state"] == "waiting"

    waiting = mine.get(RECOMMENDATIONS)
    assert (waiting.status_code, waiting.json()["state"]) == (202, "waiting")
    assert (waiting["Location"], waiting["Retry-After"]) == (PROFILE, "2")
    assert waiting.json()["job_id"] == saved.json()["embedding"]["job_id"] == str(jobs()[0].pk)

    assert work() == ["embedded"]
    assert texts(standin) == ["Кафе\nкофе, бялуу"]
    answer = mine.get(RECOMMENDATIONS)
    assert names(answer)[0] == "Кофе Бин"
    first = answer.json()["results"][0]
    assert [reason["code"] for reason in first["reasons"]] == ["category", "city", "price", "answers"]
    assert first["reasons"][0] == {"code": "category", "value": "Кафе", "text": "category: Кафе"}
    assert first["score"] == pytest.approx(first["similarity"] + 0.2, abs=1e-5)
    assert answer.json()["embedding"]["state"] == "embedded"
