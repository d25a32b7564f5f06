"""Enrichment switched on: by rules, or by the stand-in, which answers as a test tells it to."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from embeddings.standin.service import StandIn
from jobs import kinds
from jobs.execute import run_lane
from jobs.models import JobExecution
from tests.yellowbook.directory.conftest import editor, make_business, staff, values, visitor  # noqa: F401
from tests.yellowbook.llm.conftest import server, standin  # noqa: F401
from yellowbook.directory.models import Business
from yellowbook.enrichment.names import ENRICH_BUSINESS

#: What the stand-in makes of a business, unless a test says otherwise.
ANSWER: dict[str, Any] = {
    "tags": ["wifi", "mongolian_cuisine"],
    "free_tags": ["тахилгат уул"],
    "summary_mn": "Монгол хоолны ресторан.",
    "summary_en": "A restaurant with Mongolian food.",
    "opening_hours": [{"days": ["mo", "tu"], "opens": "9:00", "closes": "18:00"}],
}

Answer = Callable[..., None]


@pytest.fixture
def rules(settings: Any) -> None:
    """Enrich by the rules."""
    settings.ENRICHMENT = "rules"


@pytest.fixture
def answer(standin: StandIn, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Answer:  # noqa: F811
    """Enrich by the model, which gives one answer to every prompt; call it to change parts of that."""
    settings.ENRICHMENT = "gemini"
    # The lane takes one at a time where a model is asked, which is settled when the process starts.
    alone = replace(kinds.get_kind(ENRICH_BUSINESS), batch_size=1)
    monkeypatch.setitem(kinds._kinds, ENRICH_BUSINESS, alone)

    def say(**changes: Any) -> None:
        standin.answers = [("<business>", json.dumps({**ANSWER, **changes}))]

    say()
    return say


def save(**changes: Any) -> Business:
    """Save a business as an editor does."""
    return Business.objects.create(**values(**changes))


def jobs_of(business: Business) -> list[JobExecution]:
    """Return the enriching jobs of a business, oldest first."""
    return list(JobExecution.objects.filter(kind=ENRICH_BUSINESS, subject=str(business.pk)).order_by("created_at"))


def work() -> list[str]:
    """Do everything that is due; return the results of all jobs so far, oldest first."""
    while run_lane(ENRICH_BUSINESS):
        pass
    found = JobExecution.objects.filter(kind=ENRICH_BUSINESS).order_by("created_at")
    return list(found.values_list("result", flat=True))


def prompts(standin: StandIn) -> int:  # noqa: F811
    """Count the prompts that were sent."""
    return len(standin.log.calls())
