"""From a save to what is known of a business: by the model that the stand-in plays, and by the rules."""

import io
import json
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from embeddings.standin.faults import Rule
from embeddings.standin.service import StandIn
from jobs import kinds
from jobs.enqueue import enqueue
from jobs.execute import run_lane
from jobs.kinds import get_kind
from jobs.lifecycle import claim
from jobs.models import DeadLetter, JobExecution
from jobs.states import WAITING, Status
from tests.yellowbook.directory.conftest import values
from yellowbook.directory.importer import import_file
from yellowbook.directory.models import Business
from yellowbook.enrichment import handler, making
from yellowbook.enrichment.models import Enrichment
from yellowbook.enrichment.names import ENRICH_BUSINESS

from .conftest import ANSWER, Answer, jobs_of, prompts, save, work

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_saved_business_is_enriched_by_one_prompt(answer: Answer, standin: StandIn) -> None:
    business = save()
    assert work() == ["enriched"]
    made = Enrichment.objects.get(business=business)
    assert (made.tags, made.free_tags) == (ANSWER["tags"], ANSWER["free_tags"])
    assert (made.summary_mn, made.summary_en) == (ANSWER["summary_mn"], ANSWER["summary_en"])
    assert made.opening_hours == {"mo": [["09:00", "18:00"]], "tu": [["09:00", "18:00"]]}
    assert (made.maker, made.model, made.prompt_version) == ("gemini", "gemini-2.5-flash", "enrichment-2")
    assert made.input_hash == business.text_hash
    assert prompts(standin) == 1


def test_what_changes_nothing_of_the_text_costs_nothing(answer: Answer, standin: StandIn) -> None:
    business = save()
    work()
    business.phone = "77112233"
    business.save()
    assert len(jobs_of(business)) == 1
    business.description = "Шинэ бичвэр"
    business.save()
    assert work() == ["enriched", "enriched"]
    assert prompts(standin) == 2


def test_a_job_whose_text_is_enriched_already_sends_nothing(answer: Answer, standin: StandIn) -> None:
    business = save()
    business.description = "Түр бичвэр"
    business.save()
    assert len(jobs_of(business)) == 1, "the second save joins the job that waits"
    claimed = claim(get_kind(ENRICH_BUSINESS), worker="w")
    assert claimed is not None
    business.description = "Өөр бичвэр"
    business.save()
    work()
    JobExecution.objects.filter(status=Status.RUNNING).update(status=Status.QUEUED, lease_id=None)
    assert sorted(work()) == ["enriched", "unchanged"]
    assert prompts(standin) == 1


def test_only_what_is_published_is_enriched_and_that_as_soon_as_it_is(answer: Answer, standin: StandIn) -> None:
    business = save(status="draft")
    assert jobs_of(business) == []
    business.status = "published"
    business.save()
    business.status = "unpublished"
    business.save()
    assert work() == ["not published"]
    assert prompts(standin) == 0


def test_an_import_makes_its_jobs_too_behind_those_of_single_saves(answer: Answer) -> None:
    rows = "".join(json.dumps(values(name=f"Номин {number}")) + "\n" for number in range(3))
    import_file(io.BytesIO(rows.encode()), "jsonl")
    assert JobExecution.objects.filter(kind=ENRICH_BUSINESS, priority=2).count() == 3


def test_a_text_that_changes_while_it_is_with_the_model_is_not_described_by_what_it_was(
    answer: Answer, standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    business = save()
    ask = standin.outcome

    def save_meanwhile(request: Any) -> Any:
        monkeypatch.setattr(standin, "outcome", ask)
        business.description = "Хожим хадгалсан"
        business.save()
        connection.close()
        return ask(request)

    monkeypatch.setattr(standin, "outcome", save_meanwhile)
    assert work() == ["superseded", "enriched"]
    assert Enrichment.objects.get().input_hash == Business.objects.get().text_hash


def test_a_worker_that_lost_its_job_stores_nothing(
    answer: Answer, standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    save()
    ask = standin.outcome

    def lose_meanwhile(request: Any) -> Any:
        JobExecution.objects.filter(kind=ENRICH_BUSINESS).update(status=Status.CANCELLED, lease_id=None)
        connection.close()
        return ask(request)

    monkeypatch.setattr(standin, "outcome", lose_meanwhile)
    run_lane(ENRICH_BUSINESS)
    assert prompts(standin) == 1
    assert not Enrichment.objects.exists()


def test_of_a_batch_only_what_is_still_held_is_stored(rules: None, monkeypatch: pytest.MonkeyPatch) -> None:
    lost, kept = save(name="Нэг"), save(name="Хоёр")
    make = making.make

    def lose_one(business: Business, **options: Any) -> Any:
        jobs = JobExecution.objects.filter(kind=ENRICH_BUSINESS, subject=str(lost.pk))
        jobs.update(status=Status.CANCELLED, lease_id=None)
        return make(business, **options)

    monkeypatch.setattr(handler, "make", lose_one)
    # As where the rules work, several at once.
    several = replace(get_kind(ENRICH_BUSINESS), batch_size=2)
    monkeypatch.setitem(kinds._kinds, ENRICH_BUSINESS, several)
    run_lane(ENRICH_BUSINESS)
    assert [row.business_id for row in Enrichment.objects.all()] == [kept.pk]


def test_a_business_that_is_gone_is_a_dead_letter_of_that_class(answer: Answer) -> None:
    enqueue(ENRICH_BUSINESS, subject=uuid4())
    work()
    assert DeadLetter.objects.get(kind=ENRICH_BUSINESS).error_class == "not_found"


def test_a_deletion_takes_all_of_it_along(answer: Answer) -> None:
    business = save()
    work()
    business.delete()
    assert not Enrichment.objects.exists()


def test_what_the_model_refuses_is_left_to_the_rules_and_says_so(answer: Answer, standin: StandIn) -> None:
    business = save(description="Wi-Fi бий.")
    standin.faults.add(Rule(fault="blocked_prompt"))
    assert work() == ["blocked"]
    made = Enrichment.objects.get()
    assert (made.maker, made.blocked_reason, made.prompt_version) == ("rules", "PROHIBITED_CONTENT", "enrichment-2")
    assert made.tags == ["wifi"]
    business.save()
    assert work() == ["blocked"], "it is not asked again"


@pytest.mark.parametrize("fault", ["500", "bad_json"])
def test_a_failure_leaves_what_was_known_and_is_tried_again(answer: Answer, standin: StandIn, fault: str) -> None:
    business = save()
    work()
    business.description = "Өөр"
    business.save()
    standin.faults.add(Rule(fault=fault))
    work()
    assert jobs_of(business)[-1].status == Status.RETRYING
    assert Enrichment.objects.get().summary_en == ANSWER["summary_en"]


def test_an_outage_is_sat_out_longer_than_answers_of_no_use_are_paid_for(answer: Answer, standin: StandIn) -> None:
    save()
    for fault, tries in (("500", 13), ("bad_json", 4)):
        JobExecution.objects.filter(kind=ENRICH_BUSINESS).delete()
        enqueue(ENRICH_BUSINESS, subject=Business.objects.get().pk)
        standin.log.forget()
        standin.faults.add(Rule(fault=fault, calls=20))
        while JobExecution.objects.filter(kind=ENRICH_BUSINESS, status__in=WAITING).update(next_attempt_at=Now()):
            run_lane(ENRICH_BUSINESS)
        assert prompts(standin) == tries, fault
        standin.faults.clear()


def test_an_answer_is_cleaned_before_it_is_stored(answer: Answer) -> None:
    answer(
        tags=["Wi-Fi", "sky_hook", "wifi"],
        free_tags=["<b>Чимээгүй</b>", "x" * 60, "чимээгүй", "Зогсоолтой", *(f"t{number}" for number in range(9))],
        summary_en="<script>alert(1)</script>Quiet. Second sentence.",
        summary_mn="үг " * 500,
        opening_hours=[{"days": ["mo"], "opens": "25:00", "closes": "26:00"}],
    )
    save()
    work()
    made = Enrichment.objects.get()
    assert made.tags == ["wifi", "parking"]
    assert made.free_tags == ["sky_hook", "Чимээгүй", "t0", "t1", "t2"]
    assert made.summary_en == "alert(1) Quiet."
    assert len(made.summary_mn) <= 300
    assert made.summary_mn.endswith("үг…")
    assert made.opening_hours is None


def test_without_a_key_the_rules_work_from_the_text_and_say_so(rules: None) -> None:
    save(description="Wi-Fi, зогсоолтой монгол хоолны газар. Даваа-Баасан 09:00-18:00. Бусад өдөр амарна.")
    assert work() == ["enriched"]
    made = Enrichment.objects.get()
    assert (made.maker, made.model, made.prompt_version) == ("rules", "", "rules-1")
    assert made.tags == ["wifi", "parking", "mongolian_cuisine"]
    assert made.summary_mn == "Ресторан: Wi-Fi, зогсоолтой монгол хоолны газар."
    assert set(made.opening_hours) == {"mo", "tu", "we", "th", "fr"}


def test_the_rules_do_not_replace_what_the_model_made_of_the_same_text(answer: Answer, settings: Any) -> None:
    business = save()
    work()
    settings.ENRICHMENT = "rules"
    business.save()
    assert len(jobs_of(business)) == 1


def test_switched_off_nothing_is_made_and_what_waits_does_nothing(answer: Answer, settings: Any) -> None:
    save()
    settings.ENRICHMENT = "off"
    save(name="Өөр")
    assert work() == ["switched off"]
    assert not Enrichment.objects.exists()


def test_a_save_costs_two_statements_more(answer: Answer, settings: Any, django_assert_num_queries: Any) -> None:
    settings.ENRICHMENT = "off"
    with CaptureQueriesContext(connection) as without:
        save(name="Нэг")
    settings.ENRICHMENT = "gemini"
    with django_assert_num_queries(len(without) + 2):
        save(name="Хоёр")


def test_a_save_that_is_rolled_back_leaves_no_job(answer: Answer) -> None:
    with transaction.atomic():
        save()
        transaction.set_rollback(True)
    assert not JobExecution.objects.exists()
