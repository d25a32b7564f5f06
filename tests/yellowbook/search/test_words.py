"""Words as they are compared."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yellowbook.search.words import distance, slips_of, stem_of, term_of, terms_of

LETTERS = st.text("abcdefghij", min_size=4, max_size=12)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Хатгал", "Khatgal"),
        ("Хатгал", "Hatgal"),
        ("Кэмп", "Kemp"),
        ("Хөвсгөл", "Khövsgöl"),
        ("Улаанбаатар", "Ulaanbaatar"),
        ("Эрдэнэт", "Erdenet"),
        ("Дархан", "Darkhan"),
        ("Сүхбаатар", "Sukhbaatar"),
    ],
)
def test_spellings_of_one_name_are_one_term(one, other):
    assert term_of(one.casefold()) == term_of(other.casefold())


@pytest.mark.parametrize(
    ("inflected", "word"),
    [
        ("hairdressers", "hairdresser"),
        ("hotels", "hotel"),
        ("ресторанаас", "ресторан"),
        ("дэлгүүрүүд", "дэлгүүр"),
        ("буудалтай", "буудал"),
    ],
)
def test_inflected_words_share_a_term_with_the_word(inflected, word):
    shared = {term_of(inflected), stem_of(inflected)} & {term_of(word), stem_of(word)}
    assert shared


def test_stop_words_punctuation_and_case_are_left_out():
    assert [term for term, _ in terms_of("A hotel, in the CENTRE! Төв дэх")] == ["hutel", "sentre", "tuv", "deh"]
    assert terms_of("") == terms_of("... — !") == []


@given(st.text())
def test_any_text_has_terms_that_postgresql_can_hold(text):
    for term, stem in terms_of(text):
        for each in (term, stem):
            assert 0 < len(each) <= 80
            assert "'" not in each
            assert "\\" not in each
            assert each == each.strip()


@given(LETTERS, st.integers(0, 11), st.sampled_from("abcdefghij"), st.sampled_from(["drop", "put", "change", "swap"]))
def test_terms_one_slip_apart_meet_under_a_key_and_are_at_distance_one(term, place, letter, slip):
    place %= len(term)
    other = {
        "drop": term[:place] + term[place + 1 :],
        "put": term[:place] + letter + term[place:],
        "change": term[:place] + letter + term[place + 1 :],
        "swap": term[:place] + term[place : place + 2][::-1] + term[place + 2 :],
    }[slip]
    if len(other) >= 4:
        assert set(slips_of(term)) & set(slips_of(other))
    assert distance(term, other) == (term != other)
    assert distance(term, other) == distance(other, term)


@pytest.mark.parametrize(("one", "other", "far"), [("hotel", "hotel", 0), ("hotel", "motle", 2), ("", "abc", 3)])
def test_distances(one, other, far):
    assert distance(one, other) == far


def test_short_terms_and_numbers_are_not_taken_for_others():
    assert slips_of("bar") == ["bar"]
    assert slips_of("2024") == ["2024"]
