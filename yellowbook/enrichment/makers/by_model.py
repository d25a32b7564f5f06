"""What the model makes of a business."""

from typing import Final, Literal

import orjson
from pydantic import BaseModel

from jobs.budget import Budget
from jobs.clean import clean
from yellowbook.directory.models import Business
from yellowbook.directory.text import TEXT_FIELDS
from yellowbook.enrichment.cleaning import one_sentence, sorted_tags
from yellowbook.enrichment.hours import normalised
from yellowbook.enrichment.makers.by_rules import by_rules
from yellowbook.enrichment.makers.draft import Draft
from yellowbook.enrichment.names import GEMINI
from yellowbook.enrichment.prompts import Prompt
from yellowbook.enrichment.vocabulary import tags_for
from yellowbook.llm import Blocked, generate

#: Characters of a description that the model gets to read.
LONGEST_DESCRIPTION: Final = 4_000
#: Characters that could end a part of the prompt or begin another one, as JSON may write them.
_ESCAPED: Final = str.maketrans({"<": "\\u003c", ">": "\\u003e"})
_REASON_LENGTH: Final = 100


class Span(BaseModel):
    """Days on which a business is open, and from when to when."""

    days: list[Literal["mo", "tu", "we", "th", "fr", "sa", "su"]]
    opens: str
    closes: str


class Description(BaseModel):
    """The form of the model's answer."""

    tags: list[str]
    free_tags: list[str]
    summary_mn: str
    summary_en: str
    opening_hours: list[Span]


def by_model(business: Business, prompt: Prompt, *, model: str, budget: Budget | None = None) -> Draft:
    """Ask `model`; raises what `yellowbook.llm.generate` raises. Where it refuses, the rules decide."""
    answer = generate(prompt_of(business), schema=Description, system=prompt.system, model=model, budget=budget)
    if isinstance(answer, Blocked):
        reason = clean(answer.reason)[:_REASON_LENGTH]
        return by_rules(business, prompt_version=prompt.version, blocked_reason=reason)
    value = answer.value
    tags, free_tags = sorted_tags(value.tags, value.free_tags)
    return Draft(
        maker=GEMINI,
        model=model,
        prompt_version=prompt.version,
        tags=tags,
        free_tags=free_tags,
        summary_mn=one_sentence(value.summary_mn),
        summary_en=one_sentence(value.summary_en),
        opening_hours=normalised((span.days, span.opens, span.closes) for span in value.opening_hours),
    )


def prompt_of(business: Business) -> str:
    """Return the prompt about a business: its text and the vocabulary, between marks that nothing in it can close."""
    told = {name: value for name in TEXT_FIELDS if (value := getattr(business, name)[:LONGEST_DESCRIPTION])}
    known = {tag.name: f"{tag.en} / {tag.mn}" for tag in tags_for(business.category)}
    return f"<business>\n{_json(told)}\n</business>\n<vocabulary>\n{_json(known)}\n</vocabulary>"


def _json(told: dict[str, str]) -> str:
    return orjson.dumps(told).decode().translate(_ESCAPED)
