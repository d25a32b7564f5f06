"""The vocabulary's file, and the rules' way with it."""

import re

import pytest

from yellowbook.directory.models import Business
from yellowbook.enrichment.makers.by_rules import by_rules
from yellowbook.enrichment.models import TAG_LENGTH
from yellowbook.enrichment.vocabulary import groups, labels, named, tags, tags_for, words_of


def test_names_are_unique_short_and_need_no_escaping() -> None:
    every = [tag.name for group in groups().values() for tag in group.tags]
    assert len(every) == len(set(every))
    assert all(re.fullmatch(r"[a-z0-9_]+", name) and len(name) <= TAG_LENGTH for name in every)


def test_a_label_names_one_tag() -> None:
    every = [label for tag in tags().values() for label in {words_of(tag.mn), words_of(tag.en)}]
    assert len(every) == len(set(every))
    assert all(named(tag.mn) == named(tag.en) == named(tag.name) == tag.name for tag in tags().values())


def test_a_free_tag_is_called_as_it_is() -> None:
    assert labels("тахилгат уул") == ("тахилгат уул", "тахилгат уул")
    assert named("тахилгат уул") is None


@pytest.mark.parametrize(
    ("category", "has", "lacks"),
    [
        ("Ресторан", "vegetarian", "cashmere"),
        ("Номын дэлгүүр", "cashmere", "vegetarian"),
        ("Bar", "terrace", "ger"),
    ],
)
def test_a_category_has_its_tags_and_those_of_all(category: str, has: str, lacks: str) -> None:
    names = {tag.name for tag in tags_for(category)}
    assert {"wifi", has} <= names
    assert lacks not in names


@pytest.mark.parametrize(
    ("category", "text", "expected"),
    [
        ("Кафе", "ЗОГСООЛТОЙ, хүргэлттэй", {"parking", "delivery"}),
        ("Кафе", "We deliver. Free WiFi!", {"wifi", "delivery"}),
        ("Зочид буудал", "Монгол гэрт амраарай", {"ger"}),
        ("Зочид буудал", "Гэртээ ирсэн мэт", set()),
        ("Барилга", "Кофе уугаад", set()),
    ],
)
def test_rules_find_whole_words_or_beginnings_as_the_file_says(category: str, text: str, expected: set[str]) -> None:
    assert set(by_rules(Business(name="X", category=category, description=text)).tags) == expected


def test_rules_say_what_it_is_and_translate_nothing() -> None:
    made = by_rules(Business(name="X", category="Coffee shop", description="Good coffee. Second."))
    assert (made.summary_mn, made.summary_en) == ("", "Coffee shop: Good coffee.")
