import unicodedata

import pytest
from django.core.exceptions import ValidationError
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from yellowbook.directory.models import Business
from yellowbook.directory.text import clean_text, embedded_text, text_hash, validate_text

from .conftest import values

#: Whatever PostgreSQL can store, with what the hash could stumble over well represented.
storable = st.text(
    st.one_of(
        st.characters(exclude_categories=["Cs"], exclude_characters="\x00"),
        st.sampled_from("\\'\"$\n\t өүҮӨ😀🏳️‍🌈é‎"),
    ),
    min_size=1,
    max_size=90,
).filter(lambda text: text.strip() != "")


class HashOfTheDatabase(TestCase):
    @settings(deadline=None, max_examples=200)
    @given(name=storable, category=storable, description=st.one_of(st.just(""), storable), address=storable)
    @example(name="\\", category="\\\\", description="\\001 \\x41", address="C:\\new\\table")
    @example(name="Өгөөмөр 😀", category="Үсчин", description="", address="'quoted' \"twice\" $$ %s %(x)s")
    def test_python_and_postgresql_agree_on_the_hash_of_any_text(
        self, name: str, category: str, description: str, address: str
    ) -> None:
        business = Business.objects.create(name=name, category=category, description=description, address=address)

        assert business.text_hash == text_hash(embedded_text(business))

    def test_the_hash_follows_updates_that_bypass_save(self) -> None:
        business = Business.objects.create(**values())
        before = business.text_hash

        Business.objects.update(description="Шинэ \\ тайлбар")

        business.refresh_from_db()
        assert business.text_hash != before
        assert business.text_hash == text_hash(embedded_text(business))


def test_the_embedded_text_keeps_a_line_for_an_empty_field() -> None:
    business = Business(name="Nomin", category="Restaurant", description="", address="Peace Avenue 12")

    assert embedded_text(business) == "Nomin\nRestaurant\n\nPeace Avenue 12"


@given(st.text())
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    assert clean_text(clean_text(text)) == clean_text(text)


@given(st.text(), st.sampled_from(["NFC", "NFD"]), st.sampled_from(["", " ", "\n", "\r\n", "\t"]))
def test_spellings_of_one_text_become_equal(text: str, form: str, around: str) -> None:
    text = unicodedata.normalize("NFC", text)

    assert clean_text(around + unicodedata.normalize(form, text) + around) == clean_text(text)  # type: ignore[arg-type]


def test_line_ends_of_a_form_become_those_of_the_database() -> None:
    assert clean_text("one\r\ntwo\rthree\n") == "one\ntwo\nthree"


@pytest.mark.parametrize("text", ["Номин", "two\nlines\tand a tab", "😀", "‏right to left", "\\ ' \" < > & ; $"])
def test_text_is_accepted(text: str) -> None:
    validate_text(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a\x00", "Character 2 is not text: it is a control character, U+0000."),
        ("\x1b[31m", "Character 1 is not text: it is a control character, U+001B."),
        ("ab\x9f", "Character 3 is not text: it is a control character, U+009F."),
        ("\ud83d", "Character 1 is not text: it is half a character (a lone surrogate), U+D83D."),
    ],
)
def test_what_is_not_text_is_refused_with_its_place(text: str, reason: str) -> None:
    with pytest.raises(ValidationError, match="not text") as refused:
        validate_text(text)

    assert refused.value.messages == [reason]
