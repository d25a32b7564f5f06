"""Texts before they are sent: the laws of `prepare`."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from embeddings.prepare import CHARACTERS_PER_TOKEN, prepare
from jobs.errors import InvalidInput

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=400)
words = st.lists(st.text(st.sampled_from("номинөүabc"), min_size=1, max_size=12), min_size=1, max_size=80).map(" ".join)


@given(text=texts, limit=st.integers(1, 150))
def test_what_is_sent_fits_is_folded_and_says_whether_it_was_cut(text, limit) -> None:
    assume(any(line.strip() for line in text.splitlines()))
    made = prepare(text, max_tokens=limit)
    assert 0 < len(made.text) <= limit * CHARACTERS_PER_TOKEN
    assert made.text == made.text.strip()
    assert not re.search(r"[^\S\n]{2}|\n\n|[\t\r]", made.text)
    whole = prepare(text, max_tokens=10_000)
    assert not whole.truncated
    assert made.truncated == (len(whole.text) > limit * CHARACTERS_PER_TOKEN)
    assert whole.text.startswith(made.text)


@given(text=words, limit=st.integers(13, 100))
def test_a_text_of_ordinary_words_is_cut_between_two_of_them(text, limit) -> None:
    made = prepare(text, max_tokens=limit)
    assert text.startswith(made.text)
    rest = text[len(made.text) :]
    assert not rest or rest[0] == " "


@given(text=texts, limit=st.integers(1, 100))
def test_preparing_twice_changes_nothing_more(text, limit) -> None:
    assume(any(line.strip() for line in text.splitlines()))
    once = prepare(text, max_tokens=limit)
    twice = prepare(once.text, max_tokens=limit)
    assert (twice.text, twice.truncated) == (once.text, False)


def test_one_endless_word_is_cut_anywhere() -> None:
    made = prepare("ө" * 1000, max_tokens=10)
    assert (made.text, made.truncated) == ("ө" * 20, True)


#: What people see as one character, and a code point that stands alone.
GRAPHEMES = [
    "ө",
    "e\u0301",
    "й\u0306\u0301",
    "👍🏽",
    "👩\u200d👩\u200d👧\u200d👦",
    "🇲🇳",
    "❤\ufe0f",
    "1\ufe0f\u20e3",
    "x",
]


@given(st.lists(st.sampled_from(GRAPHEMES), min_size=10, max_size=60), st.integers(10, 40))
def test_an_endless_word_is_cut_between_what_people_see_as_characters(graphemes, limit) -> None:
    made = prepare("".join(graphemes), max_tokens=limit)
    prefixes = {"".join(graphemes[:count]) for count in range(len(graphemes) + 1)}
    assert made.text in prefixes
    assert len(made.text) > limit * CHARACTERS_PER_TOKEN - 7 or not made.truncated


def test_a_character_without_end_is_cut_all_the_same() -> None:
    assert prepare("a" + "\u0301" * 1000, max_tokens=50).truncated
    assert 50 <= len(prepare("🇲" * 1001, max_tokens=50).text) <= 100


def test_a_word_that_just_fits_is_kept() -> None:
    assert prepare("номин ресторан", max_tokens=7).text == "номин ресторан"
    assert prepare("ном ресторан кафе", max_tokens=6).text == "ном ресторан"
    assert prepare("ном ресторан\nкафе", max_tokens=6).text == "ном ресторан"


@pytest.mark.parametrize("text", ["", " ", "\n\n\t", "\u00a0\u3000", "\r\n \x0b\x0c", "\u2028\u2029"])
def test_a_text_without_a_word_is_refused(text) -> None:
    with pytest.raises(InvalidInput, match="no text"):
        prepare(text, max_tokens=100)


@given(before=texts, after=texts, half=st.characters(categories=["Cs"]))
def test_half_a_character_is_refused(before, after, half) -> None:
    with pytest.raises(InvalidInput, match="surrogate"):
        prepare(f"{before}{half}{after}", max_tokens=100)


@given(before=texts, after=texts)
def test_a_nul_byte_is_refused(before, after) -> None:
    with pytest.raises(InvalidInput, match="NUL"):
        prepare(f"{before}\x00{after}", max_tokens=100)


@given(words)
def test_tokens_are_never_estimated_below_two_characters_each(text) -> None:
    assert prepare(text, max_tokens=10_000).tokens * CHARACTERS_PER_TOKEN >= len(text)
