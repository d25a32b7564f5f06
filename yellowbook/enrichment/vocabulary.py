"""The tags that the directory knows, from `vocabulary.toml`; they are told apart by their names."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from embeddings.folding import folded

_FILE: Final = Path(__file__).with_name("vocabulary.toml")
#: The group of tags that every business may have.
ANY: Final = "any"


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag, and how texts say it."""

    name: str
    mn: str
    en: str
    #: Matches a folded text that says it.
    said: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Group:
    """Tags of kindred categories."""

    #: Matches a folded category that is one of them; None: every one.
    category: re.Pattern[str] | None
    tags: tuple[Tag, ...]


@cache
def groups() -> dict[str, Group]:
    """Return the groups of tags, by name."""
    return {name: _group(told) for name, told in tomllib.loads(_FILE.read_text(encoding="utf-8")).items()}


@cache
def tags() -> dict[str, Tag]:
    """Return all tags, by name."""
    return {tag.name: tag for group in groups().values() for tag in group.tags}


def tags_for(category: str) -> list[Tag]:
    """Return the tags that a business of a category may have."""
    text = words_of(category)
    suitable = (group for group in groups().values() if group.category is None or group.category.search(text))
    return [tag for group in suitable for tag in group.tags]


def named(text: str) -> str | None:
    """Return the name of the tag that is called so, by its name or in either language; None for a free tag."""
    return _by_label().get(words_of(text.replace("_", " ")))


def labels(name: str) -> tuple[str, str]:
    """Return what a tag is called in Mongolian and in English; a free one is called as it is."""
    tag = tags().get(name)
    return (tag.mn, tag.en) if tag else (name, name)


def words_of(text: str) -> str:
    """Return a text in the one spelling that is compared, its words a space apart."""
    return " ".join(re.findall(r"\w+", folded(text)))


@cache
def _by_label() -> dict[str, str]:
    return {
        words_of(label): tag.name for tag in tags().values() for label in (tag.mn, tag.en, tag.name.replace("_", " "))
    }


def _group(told: Mapping[str, Any]) -> Group:
    made = tuple(Tag(name, tag["mn"], tag["en"], pattern(tag["words"])) for name, tag in told["tags"].items())
    return Group(pattern(told["categories"]) if told["categories"] else None, made)


def pattern(words: Iterable[str]) -> re.Pattern[str]:
    """Match any of some words in a folded text."""
    each = (re.escape(words_of(word.removesuffix("*"))) + ("" if word.endswith("*") else r"\b") for word in words)
    return re.compile(rf"\b(?:{'|'.join(each)})")
