"""The occasions that `occasions.toml` knows: when they are, and what they are about."""

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final

from django.utils.translation import get_language

from embeddings.folding import folded

_FILE: Final = Path(__file__).with_name("occasions.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A collection for an occasion."""

    mn: str
    en: str
    #: Beginnings of words, folded; a business whose category has a word that begins so belongs to it.
    categories: tuple[str, ...]
    #: Names of tags; a business with any of them belongs to it.
    tags: tuple[str, ...]

    def suits(self, category: str) -> bool:
        """Tell whether businesses of a category belong to it."""
        return any(word.startswith(self.categories) for word in folded(category).split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """Something that people look for businesses for."""

    name: str
    mn: str
    en: str
    #: First and last days, where the calendar does not say them.
    spans: tuple[tuple[date, date], ...]
    #: First and last days of every year as (month, day); the last may be in the next year.
    yearly: tuple[tuple[int, int], tuple[int, int]] | None
    #: 0 is Monday.
    weekdays: frozenset[int]
    proposals: tuple[Proposal, ...]

    @property
    def title(self) -> str:
        """What it is called in the reader's language."""
        return self.mn if get_language() == "mn" else self.en

    def is_on(self, day: date) -> bool:
        """Tell whether `day` is one of its days."""
        if day.weekday() in self.weekdays or any(first <= day <= last for first, last in self.spans):
            return True
        if self.yearly is None:
            return False
        first, last = self.yearly
        at = (day.month, day.day)
        return first <= at <= last if first <= last else at >= first or at <= last


@cache
def occasions() -> dict[str, Occasion]:
    """Return all of them by name, the rarest first, as the file has them."""
    return {name: _occasion(name, told) for name, told in tomllib.loads(_FILE.read_text(encoding="utf-8")).items()}


def occasions_of(day: date) -> list[Occasion]:
    """Return the occasions of a day, the rarest first."""
    return [occasion for occasion in occasions().values() if occasion.is_on(day)]


def _occasion(name: str, told: dict[str, Any]) -> Occasion:
    yearly = told.get("yearly")
    return Occasion(
        name=name,
        mn=told["mn"],
        en=told["en"],
        spans=tuple((first, last) for first, last in told.get("spans", ())),
        yearly=(_month_and_day(yearly[0]), _month_and_day(yearly[1])) if yearly else None,
        weekdays=frozenset(told.get("weekdays", ())),
        proposals=tuple(
            Proposal(
                mn=each["mn"],
                en=each["en"],
                categories=tuple(folded(word) for word in each.get("categories", ())),
                tags=tuple(each.get("tags", ())),
            )
            for each in told["themes"]
        ),
    )


def _month_and_day(text: str) -> tuple[int, int]:
    month, _, day = text.partition("-")
    return int(month), int(day)
