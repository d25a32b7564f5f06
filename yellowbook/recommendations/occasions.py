"""What people go out for, from `occasions.toml`; occasions are told apart by their names."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from re import Pattern
from typing import Final

from yellowbook.enrichment.vocabulary import pattern

_FILE: Final = Path(__file__).with_name("occasions.toml")


@dataclass(frozen=True, slots=True)
class Occasion:
    """An occasion, what it is called, and how texts say it."""

    name: str
    mn: str
    en: str
    #: Matches a folded text (`yellowbook.enrichment.vocabulary.words_of`) that says it.
    said: Pattern[str]

    def label(self, language: str) -> str:
        """Return what it is called: in Mongolian, or else in English."""
        return self.mn if language == "mn" else self.en


@cache
def occasions() -> dict[str, Occasion]:
    """Return all occasions by name, in the order in which they are offered."""
    told = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return {name: Occasion(name, each["mn"], each["en"], pattern(each["words"])) for name, each in told.items()}
