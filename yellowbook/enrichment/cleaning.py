"""Texts that others wrote, a model among them, brought into the form in which they are stored."""

import html
import re
from collections.abc import Iterable
from typing import Final

from yellowbook.directory.text import clean_text
from yellowbook.enrichment.models import SUMMARY_LENGTH, TAG_LENGTH
from yellowbook.enrichment.vocabulary import named

#: Tags of a business that are kept: of the vocabulary, free ones that a model made, and those of an editor.
MOST_TAGS: Final = 15
MOST_FREE_TAGS: Final = 5
MOST_EDITOR_TAGS: Final = 20

_MARKUP: Final = re.compile(r"<[^<>]*>")
_NOT_TEXT: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_END: Final = re.compile(r"(?<=[.!?…])\s")


def plain(text: str) -> str:
    """Return a text on one line, without markup and without what is no text."""
    without = _MARKUP.sub(" ", html.unescape(_MARKUP.sub(" ", text)))
    return clean_text(" ".join(_NOT_TEXT.sub(" ", without).split()))


def one_sentence(text: str) -> str:
    """Return the first sentence of a text, cut on a word boundary to what a summary may have."""
    sentence = _END.split(plain(text), maxsplit=1)[0]
    if len(sentence) <= SUMMARY_LENGTH:
        return sentence
    cut = sentence[: SUMMARY_LENGTH - 1]
    return (cut.rpartition(" ")[0] or cut) + "…"


def sorted_tags(names: Iterable[str], free: Iterable[str] = ()) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the tags of the vocabulary and the free ones among `names` and `free`, each once, up to so many of each.

    What the vocabulary does not know becomes a free tag; a free tag that it knows by another name takes its name.
    """
    known: dict[str, None] = {}
    others: dict[str, str] = {}
    for text in [*names, *free]:
        tag = plain(text).strip(" .,;#")
        name = named(tag) if tag else None
        if name is not None:
            known[name] = None
        elif tag and len(tag) <= TAG_LENGTH:
            others.setdefault(tag.casefold(), tag)
    return tuple(known)[:MOST_TAGS], tuple(others.values())[:MOST_FREE_TAGS]
