"""What a feature tells of businesses besides their fields, for others to show, to find them by and to narrow by.

The feature says so once, when it is ready, and sends `changes.tell_written` with the field `tags` when it changes:

describe_by(describe, label)
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from django.utils.translation import get_language


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What is told of one business."""

    #: Names of tags, those that tell most first.
    tags: tuple[str, ...] = ()
    #: Further words that it is found by: labels of its tags in all languages, and the summaries.
    words: str = ""
    #: A sentence, by language (`mn`, `en`).
    summaries: Mapping[str, str] = field(default_factory=dict)

    @property
    def summary(self) -> str:
        """The sentence in the reader's language; empty where there is none."""
        return self.summaries.get(get_language() or "", "")


Describe = Callable[[Collection[UUID]], Mapping[UUID, Description]]
Label = Callable[[str, str], str]

_describers: list[tuple[Describe, Label]] = []


def describe_by(describe: Describe, label: Label) -> None:
    """Have `describe` tell of businesses by id, and `label` what a tag is called in a language; called once."""
    if _describers:
        raise ValueError("businesses are described already")
    _describers.append((describe, label))


def descriptions(ids: Collection[UUID]) -> Mapping[UUID, Description]:
    """Return what is told of businesses; those of which nothing is told are missing."""
    return {business_id: told for describe, _ in _describers for business_id, told in describe(ids).items()}


def label_of(tag: str) -> str:
    """Return what a tag is called in the reader's language."""
    return next((label(tag, get_language() or "en") for _, label in _describers), tag)
