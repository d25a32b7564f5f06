"""The subjects of a run over all enrichments: which businesses need one, and what that would cost.

Options: `prompt_version` (else the one in use), `category`, `force` (enrich again even what is fresh), and those of
every run.
"""

import json
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db.models import CharField, Exists, F, OuterRef, QuerySet, Sum, Value
from django.db.models.functions import Cast, Least, Length

from embeddings.prepare import CHARACTERS_PER_TOKEN
from jobs.models import JobExecution
from jobs.runs.feeds import Estimate, Item, Options
from jobs.runs.forms import RunForm
from yellowbook.directory.models import Business
from yellowbook.directory.selectors import published
from yellowbook.enrichment.forms import EnrichmentRunForm
from yellowbook.enrichment.makers.by_model import LONGEST_DESCRIPTION, Description, prompt_of
from yellowbook.enrichment.making import asks_model, fresh, needing, wished_version
from yellowbook.enrichment.names import UNCHANGED
from yellowbook.enrichment.prompts import PROMPTS
from yellowbook.llm.answers import LONGEST_ANSWER

#: Fields that a prompt holds besides the description, in characters at the most: name, category and address.
_OTHER_FIELDS: Final = 600


class EnrichmentFeed:
    """A `jobs.runs.feeds.Feed`."""

    form: type[RunForm] = EnrichmentRunForm

    def count(self, options: Options) -> int:
        """Return how many businesses need a job."""
        return wanted(options).count()

    def page(self, options: Options, *, run_id: UUID, after: str, limit: int) -> list[Item]:
        """Return the next businesses, in the order of their ids."""
        made = JobExecution.objects.filter(run_id=run_id, subject=Cast(OuterRef("pk"), CharField()))
        found = wanted(options).filter(~Exists(made))
        if after:
            found = found.filter(pk__gt=UUID(after))
        asked = {name: options[name] for name in ("prompt_version", "force") if options.get(name)}
        rows = found.order_by("pk").values_list("pk", "name")[:limit]
        return [Item(str(pk), {"original_name": name, **asked}) for pk, name in rows]

    def estimate(self, options: Options) -> Estimate:
        """Count, and add up the tokens that prompts and answers have at the most."""
        needed = wanted(options)
        count = needed.count()
        total = min(count, options.get("limit") or count)
        version = options.get("prompt_version")
        free = {UNCHANGED: _in_scope(options).filter(Exists(fresh(version))).count()}
        if not asks_model():
            return Estimate(total=total, free=free)
        first = published().filter(pk__in=needed.order_by("pk").values("pk")[:total])
        described = first.annotate(length=Least(Length(F("description")), Value(LONGEST_DESCRIPTION)))
        characters = described.aggregate(sum=Sum("length"))["sum"] or 0
        tokens = int((characters + total * _characters_besides(version)) / CHARACTERS_PER_TOKEN)
        cost = (tokens * settings.LLM_PROMPT_PRICE + total * LONGEST_ANSWER * settings.LLM_ANSWER_PRICE) / 1e6
        return Estimate(total=total, free=free, texts=total, tokens=tokens, cost=round(cost, 6))


def _characters_besides(version: str | None) -> int:
    """Return the characters that every call has besides the description: instructions, schema and vocabulary."""
    prompt = PROMPTS[wished_version(version)]
    bare = prompt_of(Business(category="restaurant hotel clinic shop service"))
    return len(prompt.system) + len(json.dumps(Description.model_json_schema())) + len(bare) + _OTHER_FIELDS


def _in_scope(options: Options) -> QuerySet[Business, Any]:
    businesses = published()
    if options.get("category"):
        businesses = businesses.filter(category=options["category"])
    if options.get("resume_from"):
        businesses = businesses.filter(pk__gt=UUID(options["resume_from"]))
    return businesses


def wanted(options: Options) -> QuerySet[Business, Any]:
    """Return the businesses that a run with these options is about."""
    businesses = _in_scope(options)
    return businesses if options.get("force") else needing(businesses, options.get("prompt_version"))
