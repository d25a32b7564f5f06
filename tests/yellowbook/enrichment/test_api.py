"""`/api/yellow-books/{id}/enrichment` and `.../process`."""

from typing import Any
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from embeddings.kinds import GENERATE_EMBEDDING
from embeddings.standin.service import StandIn
from jobs.models import JobExecution
from tests.jobs.api.conftest import error_of
from yellowbook.directory.models import Business
from yellowbook.enrichment.models import EditorTags, Enrichment

from .conftest import Answer, jobs_of, prompts, save, work

pytestmark = pytest.mark.django_db(transaction=True)


def path(business: Business, what: str = "enrichment") -> str:
    return f"/api/yellow-books/{business.pk}/{what}"


def test_it_shows_what_was_made(visitor: APIClient, answer: Answer) -> None:
    business = save()
    waiting = visitor.get(path(business)).json()
    assert (waiting["state"], waiting["enrichment"], waiting["tags"]) == ("waiting", None, [])
    work()
    shown = visitor.get(path(business)).json()
    assert (shown["state"], shown["why"], shown["editor_tags"]) == ("done", "", None)
    assert shown["tags"][1] == {"tag": "mongolian_cuisine", "label_mn": "Монгол хоол", "label_en": "Mongolian cuisine"}
    assert [each["tag"] for each in shown["tags"]] == ["wifi", "mongolian_cuisine", "тахилгат уул"]
    assert shown["enrichment"]["maker"] == "gemini"
    assert shown["enrichment"]["opening_hours"]["mo"] == [["09:00", "18:00"]]


def test_only_the_staff_sees_what_is_not_published(visitor: APIClient, editor: APIClient, answer: Answer) -> None:
    business = save(status="draft")
    error_of(visitor.get(path(business)), 404)
    assert editor.get(path(business)).json()["state"] == "none"
    error_of(visitor.get("/api/yellow-books/nonsense/enrichment"), 404)


def test_an_editors_tags_stand_whatever_is_made(editor: APIClient, answer: Answer) -> None:
    business = save()
    given = {"tags": ["Цагаан хоол", "Parking", "намуухан", "НАМУУХАН"]}
    assert [each["tag"] for each in editor.put(path(business), given).json()["tags"]] == [
        *("vegetarian", "parking", "намуухан")
    ]
    work()
    business.description = "Шинэ"
    business.save()
    work()
    shown = editor.get(path(business)).json()
    assert shown["editor_tags"] == ["vegetarian", "parking", "намуухан"]
    assert [each["tag"] for each in shown["tags"]] == shown["editor_tags"]
    assert EditorTags.objects.get().edited_by == "tsetseg"
    taken_back = editor.put(path(business), {"tags": None}).json()
    assert [each["tag"] for each in taken_back["tags"]] == ["wifi", "mongolian_cuisine", "тахилгат уул"]


@pytest.mark.parametrize(
    "tags", ["wifi", [1], [""], ["x" * 41], ["<b></b>"], ["t"] * 21, [["wifi"]], {"wifi": 1}, ["\x00"]]
)
def test_what_are_no_tags_is_refused_and_nothing_written(editor: APIClient, answer: Answer, tags: Any) -> None:
    business = save()
    error_of(editor.put(path(business), {"tags": tags}), 400)
    error_of(editor.put(path(business), {}), 400)
    assert not EditorTags.objects.exists()


def test_visitors_write_nothing(visitor: APIClient, answer: Answer) -> None:
    business = save()
    error_of(visitor.put(path(business), {"tags": []}), 401)
    error_of(visitor.post(path(business, "process")), 401)


def test_processing_makes_both_jobs_and_names_who_asked(editor: APIClient, answer: Answer) -> None:
    business = save()
    JobExecution.objects.all().delete()
    response = editor.post(path(business, "process"), {})
    assert response.status_code == 202
    made = response.json()
    kinds = {str(job.pk): job.kind for job in JobExecution.objects.all()}
    assert kinds[made["embedding_job"]["id"]] == GENERATE_EMBEDDING
    assert kinds[made["enrichment_job"]["id"]] == "enrich_business"
    assert {job.metadata["triggered_by"] for job in JobExecution.objects.all()} == {"tsetseg"}
    again = editor.post(path(business, "process"), {}).json()
    assert again["enrichment_job"] == {**made["enrichment_job"], "created": False}


def test_each_can_be_asked_for_alone(editor: APIClient, answer: Answer) -> None:
    business = save()
    JobExecution.objects.all().delete()
    made = editor.post(path(business, "process"), {"jobs": ["enrichment"]}).json()
    assert made["embedding_job"] is None
    assert list(JobExecution.objects.values_list("kind", flat=True)) == ["enrich_business"]


def test_a_text_that_was_seen_processed_makes_no_job(editor: APIClient, answer: Answer) -> None:
    business = save()
    seen = editor.get(path(business)).json()["text_hash"]
    JobExecution.objects.all().delete()
    given = {"previous_text_hash": seen}
    nothing = editor.post(path(business, "process"), given).json()
    assert nothing == {"embedding_job": None, "enrichment_job": None}
    business.description = "Шинэ"
    business.save()
    assert editor.post(path(business, "process"), given).json()["enrichment_job"] is not None


def test_another_prompt_version_enriches_the_same_text_again(
    editor: APIClient, answer: Answer, standin: StandIn
) -> None:
    business = save()
    work()
    editor.post(path(business, "process"), {"jobs": ["enrichment"], "prompt_version": "enrichment-1"})
    assert work() == ["enriched", "enriched"]
    assert Enrichment.objects.get().prompt_version == "enrichment-1"
    assert prompts(standin) == 2


@pytest.mark.parametrize(
    "given", [{"jobs": []}, {"jobs": ["dance"]}, {"prompt_version": "nonsense"}, {"previous_text_hash": "short"}]
)
def test_a_request_that_makes_no_sense_is_refused(editor: APIClient, answer: Answer, given: dict[str, Any]) -> None:
    business = save()
    before = len(jobs_of(business))
    error_of(editor.post(path(business, "process"), given), 400)
    assert len(jobs_of(business)) == before


def test_what_is_not_published_or_switched_off_is_a_conflict(editor: APIClient, answer: Answer, settings: Any) -> None:
    error_of(editor.post(path(save(status="draft"), "process"), {}), 409)
    error_of(editor.post(path(Business(pk=uuid4()), "process"), {}), 404)
    settings.ENRICHMENT = "off"
    business = save()
    error_of(editor.post(path(business, "process"), {}), 409)
    assert editor.post(path(business, "process"), {"jobs": ["embedding"]}).status_code == 202
