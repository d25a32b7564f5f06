"""Titles made of what the businesses of a cluster have in common."""

from collections.abc import Iterator, Sequence
from itertools import chain, count
from typing import Final

from django.utils import translation

from yellowbook.curation.choosing import Label, Titles
from yellowbook.curation.models import TITLE_LENGTH, Collection
from yellowbook.directory.descriptions import label_of

#: What a collection is called whose businesses have nothing in common.
NOTHING_IN_COMMON: Final = ("Танд санал болгох", "Worth a look")


def by_template(labels: Sequence[Label], taken: Sequence[Titles] = ()) -> list[Titles]:
    """Return a title for each label, all of them different, also from those that are taken."""
    used = {titles.en for titles in taken}
    found = []
    for label in labels:
        mongolian, english = next(pair for pair in _pairs(label) if pair[1] not in used)
        used.add(english)
        found.append(Titles(mn=mongolian, en=english, by=Collection.TitledBy.TEMPLATE))
    return found


def tag_labels(tag: str) -> tuple[str, str]:
    """Return what a tag is called in Mongolian and in English."""
    with translation.override("mn"):
        mongolian = label_of(tag)
    with translation.override("en"):
        return mongolian, label_of(tag)


def _pairs(label: Label) -> Iterator[tuple[str, str]]:
    """Yield titles in both languages, the ones that say most first; there is always one more."""
    told = list(chain(_said(label), [NOTHING_IN_COMMON]))
    yield from (_cut(pair) for pair in told)
    for number in count(2):
        yield _cut(told[0], f" ({number})")


def _said(label: Label) -> Iterator[tuple[str, str]]:
    tags = [tag_labels(tag) for tag in label.tags]
    for category in label.categories[:1]:
        if label.city:
            yield f"{label.city}: {category}", f"{category} in {label.city}"
        yield category, category
        yield from ((f"{category}: {mongolian}", f"{category}: {english}") for mongolian, english in tags)
    yield from tags
    if len(label.categories) > 1:
        both = ", ".join(label.categories[:2])
        yield both, both


def _cut(pair: tuple[str, str], ending: str = "") -> tuple[str, str]:
    """Return titles that are no longer than there is room for."""
    room = TITLE_LENGTH - len(ending)
    mongolian, english = (text if len(text) <= room else text[: room - 1].rstrip() + "…" for text in pair)
    return mongolian + ending, english + ending
