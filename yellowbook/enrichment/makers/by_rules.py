"""What the rules make of a business: only what its own words say."""

import re
from typing import Final

from yellowbook.directory.models import Business
from yellowbook.enrichment.cleaning import one_sentence
from yellowbook.enrichment.hours import read_hours
from yellowbook.enrichment.makers.draft import Draft
from yellowbook.enrichment.names import RULES
from yellowbook.enrichment.vocabulary import tags_for, words_of

#: Changes with every change of the rules, or of the vocabulary's words.
RULES_VERSION: Final = "rules-1"

_CYRILLIC: Final = re.compile(r"[Ѐ-ӿ]")
_LATIN: Final = re.compile(r"[A-Za-z]")


def by_rules(business: Business, *, prompt_version: str = RULES_VERSION, blocked_reason: str = "") -> Draft:
    """Return tags whose words occur in name or description, hours that are told, and summaries.

    Nothing is translated: category and first sentence of the description are the summary in their own language, and in
    the other one there is none.
    """
    text = words_of(f"{business.name}\n{business.description}")
    tags = [tag.name for tag in tags_for(business.category) if tag.said.search(text)]
    mongolian, english = _summaries(business)
    return Draft(
        maker=RULES,
        prompt_version=prompt_version,
        blocked_reason=blocked_reason,
        tags=tuple(tags),
        summary_mn=mongolian,
        summary_en=english,
        opening_hours=read_hours(business.description),
    )


def _summaries(business: Business) -> tuple[str, str]:
    sentence = one_sentence(business.description)
    told = f"{business.category}: {sentence}" if sentence else business.category
    if len(_CYRILLIC.findall(told)) >= len(_LATIN.findall(told)):
        return one_sentence(told), ""
    return "", one_sentence(told)
