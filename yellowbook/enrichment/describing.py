"""What is told to other features: the tags that stand, and the summaries."""

from collections.abc import Collection, Sequence
from typing import Final
from uuid import UUID

from django.db.models import Q

from yellowbook.directory.descriptions import Description, describe_by
from yellowbook.directory.models import Business
from yellowbook.enrichment.vocabulary import labels

_KNOWN: Final = Q(enrichment__isnull=False) | Q(editor_tags__isnull=False)
_COLUMNS: Final = (
    *("enrichment__tags", "enrichment__free_tags", "enrichment__summary_mn", "enrichment__summary_en"),
    "editor_tags__tags",
)


def describe(ids: Collection[UUID]) -> dict[UUID, Description]:
    """Return what is known of businesses, one query."""
    rows = Business.objects.filter(_KNOWN, pk__in=ids).values_list("pk", *_COLUMNS)
    return {pk: _told([*(tags or ()), *(free or ())], mn or "", en or "", own) for pk, tags, free, mn, en, own in rows}


def label(tag: str, language: str) -> str:
    """Return what a tag is called: in Mongolian, or else in English."""
    mongolian, english = labels(tag)
    return mongolian if language == "mn" else english


def _told(made: Sequence[str], mongolian: str, english: str, editors: Sequence[str] | None) -> Description:
    tags = made if editors is None else editors
    words = [each for tag in tags for each in dict.fromkeys(labels(tag))]
    return Description(
        tags=tuple(tags),
        words="\n".join([*words, mongolian, english]),
        summaries={"mn": mongolian, "en": english},
    )


describe_by(describe, label)
