"""What is told to other features: the tags that stand, and the summaries."""

from collections.abc import Collection
from uuid import UUID

from yellowbook.directory.descriptions import Description, describe_by
from yellowbook.enrichment.selectors import Known, known_of
from yellowbook.enrichment.vocabulary import labels


def describe(ids: Collection[UUID]) -> dict[UUID, Description]:
    """Return what is known of businesses, two queries."""
    return {business_id: _told(known) for business_id, known in known_of(ids).items()}


def label(tag: str, language: str) -> str:
    """Return what a tag is called: in Mongolian, or else in English."""
    mongolian, english = labels(tag)
    return mongolian if language == "mn" else english


def _told(known: Known) -> Description:
    made = known.enrichment
    summaries = {"mn": made.summary_mn, "en": made.summary_en} if made else {}
    words = [each for tag in known.tags for each in dict.fromkeys(labels(tag))]
    return Description(tags=tuple(known.tags), words="\n".join([*words, *summaries.values()]), summaries=summaries)


describe_by(describe, label)
