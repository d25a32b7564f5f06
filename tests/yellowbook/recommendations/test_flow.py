"""From the questionnaire to recommendations, by the stand-in."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from embeddings.kinds import GENERATE_EMBEDDING
from embeddings.models import ServingModel
from embeddings.providers import vendor
from embeddings.standin.faults import Rule
from embeddings.standin.service import StandIn
from jobs import wake
from jobs.enqueue import enqueue
from jobs.execute import run_lane
from tests.jobs.support import make_due
from yellowbook.directory.models import Business
from yellowbook.recommendations.names import EMBED_PROFILE

from .conftest import OPINIONS, PROFILE, RECOMMENDATIONS, jobs, names, texts, work

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


def test_likes_and_dislikes_move_recommendations_at_once_and_cost_no_call(
    mine: APIClient, businesses: dict[str, Business], standin: StandIn
) -> None:
    mine.put(PROFILE, {"about": "Улаанбаатар"})
    work()
    standin.log.forget()
    before = names(mine.get(RECOMMENDATIONS))
    assert sorted(before) == sorted(businesses)

    liked = businesses["Номин"]
    mine.put(f"{OPINIONS}/{liked.pk}", {"liked": True})
    answer = mine.get(RECOMMENDATIONS)
    assert names(answer)[0] == "Модерн Номадс"
    assert answer.json()["results"][0]["reasons"][0]["text"] == "similar to what you like: Номин"
    assert "Номин" not in names(answer)

    disliked = businesses["Модерн Номадс"]
    mine.put(f"{OPINIONS}/{disliked.pk}", {"liked": False})
    assert set(names(mine.get(RECOMMENDATIONS))) == set(businesses) - {"Номин", "Модерн Номадс"}
    mine.delete(f"{OPINIONS}/{liked.pk}")
    mine.delete(f"{OPINIONS}/{disliked.pk}")
    assert names(mine.get(RECOMMENDATIONS)) == before
    assert texts(standin) == []


def test_only_what_is_published_is_recommended_or_named_as_a_reason(
    mine: APIClient, businesses: dict[str, Business]
) -> None:
    mine.put(PROFILE, {"about": "Монгол хоол"})
    work()
    mine.put(f"{OPINIONS}/{businesses['Номин'].pk}", {"liked": True})
    Business.objects.filter(name__in=["Номин", "Кофе Бин"]).update(status="unpublished")
    answer = mine.get(RECOMMENDATIONS)
    assert names(answer)[0] == "Модерн Номадс"
    assert "Кофе Бин" not in names(answer)
    assert "Номин" not in answer.content.decode()


def test_an_occasion_is_found_in_what_a_business_says_of_itself(
    mine: APIClient, businesses: dict[str, Business]
) -> None:
    mine.put(PROFILE, {"occasions": ["birthday"]})
    work()
    (found,) = [
        each["business"]["name"]
        for each in mine.get(RECOMMENDATIONS).json()["results"]
        if {"code": "occasion", "value": "birthday", "text": "for: Birthday"} in each["reasons"]
    ]
    assert found == "Номин"


def test_a_limit_is_kept_and_a_wrong_one_refused(mine: APIClient, businesses: dict[str, Business]) -> None:
    mine.put(PROFILE, {"about": "кофе"})
    work()
    assert len(names(mine.get(RECOMMENDATIONS, {"limit": "2"}))) == 2
    for wrong in ("0", "51", "x", "-1", "1.0"):
        assert mine.get(RECOMMENDATIONS, {"limit": wrong}).status_code == 400


def test_while_new_answers_are_not_embedded_the_earlier_ones_serve_and_it_says_so(
    mine: APIClient, businesses: dict[str, Business], standin: StandIn
) -> None:
    mine.put(PROFILE, {"about": "кофе, бялуу"})
    work()
    standin.faults.add(Rule(fault="503"))
    assert mine.put(PROFILE, {"about": "Нуурын эрэг, кемп"}).status_code == 200
    run_lane(EMBED_PROFILE)
    answer = mine.get(RECOMMENDATIONS)
    assert names(answer)[0] == "Кофе Бин"
    told = answer.json()["embedding"]
    assert (told["state"], told["why"]) == ("delayed", "The last attempt failed; it is tried again by itself.")
    assert told["next_attempt_at"] is not None
    make_due(jobs()[-1])
    assert work() == ["embedded", "embedded"]
    assert names(mine.get(RECOMMENDATIONS))[0] == "Хөвсгөл кемп"


def test_a_paused_lane_delays_and_says_so(mine: APIClient, standin: StandIn) -> None:
    standin.faults.add(Rule(fault="key_invalid"))
    mine.put(PROFILE, {"about": "кофе"})
    work()
    first = mine.get(RECOMMENDATIONS)
    assert (first.status_code, first.json()["state"], first.json()["why"]) == (202, "delayed", "Its lane is paused.")
    assert mine.get(RECOMMENDATIONS).json()["job_id"] == first.json()["job_id"]
    assert len(jobs()) == 2, "asking has made one in place of the dead one, and no more"


def test_answers_that_the_provider_refuses_get_no_further_job(mine: APIClient, standin: StandIn) -> None:
    standin.faults.add(Rule(fault="400", marker="кофе", calls=10))
    mine.put(PROFILE, {"about": "кофе"})
    work()
    for _ in range(2):
        response = mine.get(RECOMMENDATIONS)
        assert response.status_code == 409
        assert "change the answers" in response.json()["error"]["message"]
    assert len(jobs()) == 1
    assert mine.get(PROFILE).json()["embedding"]["state"] == "failed"
    mine.put(PROFILE, {"about": "цай"})
    assert work()[-1] == "embedded"


def test_after_another_model_began_to_serve_a_profile_is_embedded_anew_when_its_owner_asks(
    mine: APIClient, businesses: dict[str, Business]
) -> None:
    mine.put(PROFILE, {"about": "кофе, бялуу"})
    work()
    ServingModel.objects.create(vendor=vendor("gemini"), model="gemini-embedding-002", switched_by="x")
    assert mine.get(PROFILE).json()["embedding"]["state"] == "missing"
    assert mine.get(RECOMMENDATIONS).status_code == 202
    assert work() == ["embedded", "embedded"]
    for business in businesses.values():
        enqueue(GENERATE_EMBEDDING, subject=business.pk)
    while run_lane(GENERATE_EMBEDDING):
        pass
    assert names(mine.get(RECOMMENDATIONS))[0] == "Кофе Бин"


def test_before_any_business_has_a_vector_nothing_is_recommended(mine: APIClient, standin: StandIn) -> None:
    mine.put(PROFILE, {"about": "кофе"})
    work()
    assert names(mine.get(RECOMMENDATIONS)) == []


def test_recommendations_cost_as_many_queries_for_few_as_for_many(
    mine: APIClient, businesses: dict[str, Business], django_assert_max_num_queries: Any
) -> None:
    mine.put(PROFILE, {"about": "кофе", "occasions": ["date"]})
    work()
    mine.put(f"{OPINIONS}/{businesses['Номин'].pk}", {"liked": True})
    mine.get(RECOMMENDATIONS)
    with django_assert_max_num_queries(16):
        mine.get(RECOMMENDATIONS)


def test_without_redis_answers_and_opinions_are_saved_and_a_worker_finds_the_job_later(
    mine: APIClient, businesses: dict[str, Business], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as away:
        away.setattr(settings, "REDIS_URL", "unix:///nonexistent/yellowbook.sock")
        away.setattr(wake, "_breaker", wake._Breaker())
        wake._broker.cache_clear()
        assert mine.put(PROFILE, {"about": "кофе, бялуу"}).status_code == 201
        assert mine.put(f"{OPINIONS}/{businesses['Номин'].pk}", {"liked": True}).status_code == 201
        assert mine.get(RECOMMENDATIONS).json()["state"] == "waiting"
    wake._broker.cache_clear()
    assert len(jobs()) == 1
    assert work() == ["embedded"]
    assert "Кофе Бин" in names(mine.get(RECOMMENDATIONS))
