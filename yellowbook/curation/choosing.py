"""From themes to collections: no business twice, and nobody who is not a candidate. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What the businesses of a theme have in common, the most frequent first; empty for what they do not."""

    categories: tuple[str, ...] = ()
    city: str = ""
    #: Names of tags.
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Titles:
    """What a collection is called in both languages, and who called it so (`Collection.TitledBy`)."""

    mn: str
    en: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """Something that a collection may be about."""

    #: `Collection.Theme`.
    kind: str
    #: Businesses, the best first.
    candidates: Sequence[UUID]
    #: Fewer businesses than that are no collection.
    fewest: int = 1
    label: Label = field(default_factory=Label)
    #: Of an editor's rule, or an occasion; None: still to be found.
    titles: Titles | None = None
    rule_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Chosen:
    """A theme and the businesses that were chosen for it, the best first."""

    theme: Theme
    businesses: list[UUID]


def choose(themes: Iterable[Theme], *, count: int, size: int) -> list[Chosen]:
    """Return up to `count` collections of up to `size` businesses, in the order of the themes.

    A business goes to the first theme that it is a candidate of. A theme that is left with fewer than its `fewest` (or
    `size`, if that is less) is passed over, and no more themes are asked for than are needed.
    """
    chosen: list[Chosen] = []
    taken: set[UUID] = set()
    for theme in themes:
        free = [each for each in dict.fromkeys(theme.candidates) if each not in taken][:size]
        if len(free) < min(theme.fewest, size) or not free:
            continue
        taken.update(free)
        chosen.append(Chosen(theme, free))
        if len(chosen) == count:
            break
    return chosen
