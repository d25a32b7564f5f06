"""Runs over all businesses, and previews of them."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.urls import reverse

from embeddings.standin.faults import Rule
from embeddings.standin.service import StandIn
from jobs.actor import Actor
from jobs.execute import run_lane
from jobs.models import Run
from jobs.runs.attend import attend_all
from jobs.upkeep.pruners import prune
from tests.yellowbook.directory.conftest import values
from yellowbook.directory.models import Business
from yellowbook.enrichment import services
from yellowbook.enrichment.feed import EnrichmentFeed
from yellowbook.enrichment.models import Enrichment, Preview, PreviewSample
from yellowbook.enrichment.names import PREVIEW_ENRICHMENT
from yellowbook.enrichment.preview import begin_preview, delete_previews, waiting

from .conftest import Answer, prompts, save, work

pytestmark = pytest.mark.django_db(transaction=True)

ME = Actor("me", "cli")


def finish(run: Run) -> Run:
    """Work until the run is over."""
    for _ in range(20):
        attend_all()
        work()
        run.refresh_from_db()
        if run.finished_at:
            return run
    raise AssertionError("it does not come to an end")


def test_a_run_enriches_what_needs_it_and_nothing_else(answer: Answer, standin: StandIn) -> None:
    fresh = save(name="Шинэ")
    work()
    Business.objects.bulk_create(Business(**values(name=f"Хуучин {number}")) for number in range(3))
    Business.objects.create(**values(name="Ноорог", status="draft"))
    run = finish(services.enrich_all({}, actor=ME))
    assert (run.total, run.made) == (3, 3)
    assert Enrichment.objects.count() == 4
    assert prompts(standin) == 4
    assert Enrichment.objects.get(business=fresh).prompt_version == "enrichment-2"


def test_a_new_prompt_version_enriches_again_by_a_run_and_a_second_run_costs_nothing(
    answer: Answer, standin: StandIn, settings: Any
) -> None:
    settings.ENRICHMENT_PROMPT = "enrichment-1"
    for number in range(3):
        save(name=f"Номин {number}")
    work()
    settings.ENRICHMENT_PROMPT = "enrichment-2"
    assert EnrichmentFeed().count({}) == 3
    finish(services.enrich_all({}, actor=ME))
    assert set(Enrichment.objects.values_list("prompt_version", flat=True)) == {"enrichment-2"}
    assert prompts(standin) == 6
    assert finish(services.enrich_all({}, actor=ME)).total == 0
    assert prompts(standin) == 6


def test_what_the_rules_made_is_made_anew_once_there_is_a_key(answer: Answer, settings: Any) -> None:
    settings.ENRICHMENT = "rules"
    save()
    work()
    settings.ENRICHMENT = "gemini"
    finish(services.enrich_all({}, actor=ME))
    assert Enrichment.objects.get().maker == "gemini"


def test_options_narrow_a_run(answer: Answer) -> None:
    for category in ("Кафе", "Кафе", "Бар"):
        save(category=category)
    count = EnrichmentFeed().count
    work()
    assert count({}) == 0
    assert count({"force": True}) == 3
    assert count({"force": True, "category": "Кафе"}) == 2
    assert count({"prompt_version": "enrichment-1"}) == 3
    assert EnrichmentFeed().estimate({"force": True, "limit": 2}).total == 2


def test_an_estimate_is_more_than_what_is_sent(answer: Answer, standin: StandIn, settings: Any) -> None:
    settings.LLM_PROMPT_PRICE, settings.LLM_ANSWER_PRICE = 1.0, 1.0
    save(description="Сайхан газар. " * 50)
    save(description="Богино")
    estimate = EnrichmentFeed().estimate({})
    work()
    assert (estimate.total, estimate.texts) == (2, 2)
    sent = sum(len(call["text"][0]) for call in standin.log.calls())
    assert sent / 4 < estimate.tokens < sent * 4
    assert estimate.cost >= 2 * 8192 / 1e6


def see(preview: Preview) -> list[tuple[Any, Any]]:
    """Have the samples made, and return them."""
    while run_lane(PREVIEW_ENRICHMENT):
        pass
    assert waiting(preview) == 0
    return [(sample.before, sample.after) for sample in preview.samples.all()]


def test_a_preview_shows_ten_side_by_side_and_changes_no_business(answer: Answer) -> None:
    for number in range(12):
        save(name=f"Номин {number}")
    work()
    answer(tags=["parking"], free_tags=[], summary_en="Other.")
    preview = begin_preview({"prompt_version": "enrichment-1"}, actor=ME)
    assert waiting(preview) == 10
    seen = see(preview)
    assert len(seen) == 10
    assert {before["summary_en"] for before, _ in seen} == {"A restaurant with Mongolian food."}
    assert [after["tags"] for _, after in seen] == [["parking"]] * 10
    assert set(Enrichment.objects.values_list("prompt_version", flat=True)) == {"enrichment-2"}


def test_a_sample_that_fails_costs_no_other(answer: Answer, standin: StandIn) -> None:
    for number in range(3):
        save(name=f"Номин {number}")
    preview = begin_preview({}, actor=ME)
    standin.faults.add(Rule(fault="key_invalid"))
    run_lane(PREVIEW_ENRICHMENT)
    assert waiting(preview) == 2


def test_previews_are_forgotten_with_the_jobs_that_made_them(answer: Answer, settings: Any) -> None:
    save()
    begin_preview({}, actor=ME)
    prune()
    assert Preview.objects.count() == 1
    assert delete_previews(-1, 10) == 1
    assert not PreviewSample.objects.exists()


def test_the_admin_shows_a_preview_and_starts_the_run(admin_client: Client, answer: Answer) -> None:
    save(name="<i>Номин</i>")
    listed = admin_client.get(reverse("admin:enrichment_enrichment_changelist")).content.decode()
    assert reverse("admin:enrichment_ask") in listed
    refused = admin_client.post(reverse("admin:enrichment_ask"), {"priority": "low", "resume_from": "x"})
    assert "not the id of a business" in refused.content.decode()
    response = admin_client.post(reverse("admin:enrichment_ask"), {"priority": "low", "force": "on"})
    assert "1 sample is still being made." in admin_client.get(response["Location"]).content.decode()
    see(Preview.objects.get())
    page = admin_client.get(response["Location"]).content.decode()
    assert "A restaurant with Mongolian food." in page
    assert "&lt;i&gt;Номин" in page
    started = admin_client.post(response["Location"], follow=True).content.decode()
    assert "The run has begun." in started
    assert Run.objects.get().options["force"] is True
    again = admin_client.post(response["Location"], follow=True).content.decode()
    assert "stop it, or wait for its end" in again


def test_who_may_not_steer_runs_previews_none(staff: Any, client: Client) -> None:
    client.force_login(staff)
    assert client.get(reverse("admin:enrichment_ask")).status_code == 403


def told(*arguments: str) -> str:
    """Return what the command says."""
    out = StringIO()
    call_command("enrich_businesses", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_counts_and_starts(answer: Answer) -> None:
    Business.objects.bulk_create(Business(**values(name=f"Хуучин {number}")) for number in range(3))
    assert "3 businesses; 0 have it already." in told("--dry-run")
    assert not Run.objects.exists()
    assert "has begun: 3 businesses" in told("--yes")
    with pytest.raises(CommandError, match="stop it, or wait"):
        told("--yes")


def test_the_command_asks_nobody_and_does_nothing_where_it_makes_no_sense(answer: Answer, settings: Any) -> None:
    save()
    with pytest.raises(CommandError, match="--yes"):
        told()
    with pytest.raises(CommandError, match="--limit"):
        told("--limit", "0")
    settings.ENRICHMENT = "off"
    with pytest.raises(CommandError, match="switched off"):
        told()
    assert not Run.objects.exists()


class Terminal(StringIO):
    """Somebody who replies."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("reply", "runs"), [("y\n", 1), ("\n", 0)])
def test_the_command_shows_samples_before_it_asks(
    answer: Answer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], reply: str, runs: int
) -> None:
    save()
    monkeypatch.setattr("sys.stdin", Terminal(reply))
    said = told("--force")
    assert "A restaurant with" in capsys.readouterr().out
    assert "Start a run over 1 businesses? [y/N]" in said
    assert Run.objects.count() == runs


def test_the_command_does_not_wait_for_samples_of_a_lane_that_is_paused(
    answer: Answer, standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(10):
        save(name=f"Номин {number}")
    standin.keys.revoke(["*"])
    monkeypatch.setattr("sys.stdin", Terminal(""))
    with pytest.raises(CommandError, match=r"is paused: .*API key not valid"):
        told("--force")
    assert not Run.objects.exists()
