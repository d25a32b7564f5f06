"""The one way to an enrichment, and how to know whether one is needed."""

from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from jobs.budget import Budget
from yellowbook.directory.models import Business
from yellowbook.directory.selectors import published
from yellowbook.enrichment.makers.by_model import by_model
from yellowbook.enrichment.makers.by_rules import RULES_VERSION, by_rules
from yellowbook.enrichment.makers.draft import Draft
from yellowbook.enrichment.models import Enrichment
from yellowbook.enrichment.names import GEMINI, OFF
from yellowbook.enrichment.prompts import PROMPTS
from yellowbook.llm import current_model


def switched_off() -> bool:
    """Tell whether nothing is enriched."""
    return bool(settings.ENRICHMENT == OFF)


def asks_model() -> bool:
    """Tell whether the model is asked; else rules do it."""
    return bool(settings.ENRICHMENT == GEMINI)


def wished_version(asked: str | None = None) -> str:
    """Return the version that an enrichment should be of: `asked`, or that in use. The rules have only their own."""
    return (asked or str(settings.ENRICHMENT_PROMPT)) if asks_model() else RULES_VERSION


def make(business: Business, *, version: str, budget: Budget | None = None) -> Draft:
    """Make what is to be stored of a business; raises what `yellowbook.llm.generate` raises.

    Changes nothing. Never call it inside a transaction.
    """
    if version not in PROMPTS:
        return by_rules(business)
    return by_model(business, PROMPTS[version], model=current_model(), budget=budget)


def fresh(version: str | None = None) -> QuerySet[Enrichment]:
    """Return, for use on businesses, the enrichment of their present text by a version, else by the one in use.

    For the rules, what the model has made of the same text is fresh: they would only make it worse.
    """
    made = Q(prompt_version=wished_version(version))
    if not asks_model():
        made |= Q(maker=GEMINI)
    return Enrichment.objects.filter(made, business_id=OuterRef("pk"), input_hash=OuterRef("text_hash"))


def needing(businesses: QuerySet[Business] | None = None, version: str | None = None) -> QuerySet[Business, Any]:
    """Return the published ones among some businesses, else of all, that have no fresh enrichment."""
    chosen = published() if businesses is None else businesses & published()
    return chosen.filter(~Exists(fresh(version)))
