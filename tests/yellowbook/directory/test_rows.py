from typing import Any

import pytest

from yellowbook.directory.parsers import Record, UnreadableFile
from yellowbook.directory.rows import COLUMNS, Rejection, Row, check_columns, read_row

from .conftest import values


def read(**given: Any) -> Row:
    row = read_row(Record(7, values(**given)))
    assert isinstance(row, Row), row
    return row


def refused(**given: Any) -> dict[str, list[str]]:
    row = read_row(Record(7, values(**given)))
    assert isinstance(row, Rejection), row
    assert row.line == 7
    return row.errors


def test_cells_become_values_of_the_fields() -> None:
    row = read(
        name=" Cafe\u0301 ",
        website="www.nomin.mn",
        latitude=" 47.9 ",
        longitude="106.9",
        price_level="2",
        offers_online="Yes",
        status=" Draft ",
    )

    assert row.values == values(
        name="Café",
        website="https://www.nomin.mn",
        latitude=47.9,
        longitude=106.9,
        price_level=2,
        offers_online=True,
        status="draft",
    )


def test_values_of_json_are_taken_as_they_are() -> None:
    row = read(latitude=47, longitude=106.9, price_level=2.0, offers_online=False, phone=77112233)

    assert row.values == values(latitude=47.0, longitude=106.9, price_level=2, offers_online=False, phone="77112233")


@pytest.mark.parametrize("nothing", ["", "  ", None])
def test_an_empty_cell_clears_an_optional_field(nothing: str | None) -> None:
    row = read(description=nothing, website=nothing, latitude=nothing, price_level=nothing, offers_online=nothing)

    assert row.values == values(description="", website="", latitude=None, price_level=None, offers_online=False)


@pytest.mark.parametrize("field", ["status", "external_id"])
@pytest.mark.parametrize("nothing", ["", " ", None])
def test_an_empty_cell_says_nothing_of_a_field_that_has_no_empty_state(field: str, nothing: str | None) -> None:
    assert field not in read(**{field: nothing}).values


@pytest.mark.parametrize("word", ["true", "YES", "1", "тийм", True, 1])
def test_words_for_yes(word: Any) -> None:
    assert read(offers_online=word).values["offers_online"] is True


@pytest.mark.parametrize("word", ["false", "No", "0", "үгүй", False, 0, ""])
def test_words_for_no(word: Any) -> None:
    assert read(offers_online=word).values["offers_online"] is False


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("name", "", "This field cannot be blank."),
        ("address", None, "This field cannot be blank."),
        ("name", "a\x00", "Character 2 is not text: it is a control character, U+0000."),
        ("description", "\ud800", "Character 1 is not text: it is half a character (a lone surrogate), U+D800."),
        ("name", ["a"], "Give a text."),
        ("name", {"a": 1}, "Give a text."),
        ("name", True, "Give a text."),
        ("email", "x", "Enter a valid email address."),
        ("website", "javascript://x", "Enter a valid URL."),
        ("website", "../../etc/passwd", "Enter a valid URL."),
        ("latitude", "47,9", "Give a number."),
        ("latitude", True, "Give a number."),
        ("latitude", [1], "Give a number."),
        ("latitude", 10**400, "Give a number."),
        ("latitude", "nan", "Enter a number."),
        ("latitude", "91", "Ensure this value is less than or equal to 90."),
        ("longitude", "-inf", "Ensure this value is greater than or equal to -180."),
        ("price_level", "2.5", "Give a whole number."),
        ("price_level", "inf", "Give a whole number."),
        ("price_level", "9", "Ensure this value is less than or equal to 4."),
        ("offers_online", "perhaps", "Give true or false."),
        ("status", "gone\ud800", "Choose one of draft, pending, published, unpublished."),
    ],
)
def test_a_wrong_value_is_named_by_its_column(field: str, value: Any, message: str) -> None:
    assert refused(**{field: value}) == {field: [message]}


def test_all_wrong_columns_of_a_row_are_named_at_once() -> None:
    assert refused(name="", email="x", price_level="x").keys() == {"name", "email", "price_level"}


def test_without_an_external_id_a_row_must_say_name_and_address() -> None:
    row = read_row(Record(3, {"category": "Hotel"}))

    assert isinstance(row, Rejection)
    assert row.errors.keys() == {"name", "address"}


def test_with_an_external_id_a_row_may_say_nothing_else() -> None:
    assert read_row(Record(3, {"external_id": "a", "phone": "1"})) == Row(3, {"external_id": "a", "phone": "1"})


def test_a_line_that_could_not_be_read_is_rejected_with_its_problem() -> None:
    assert read_row(Record(3, problem="Broken.")) == Rejection(3, {"row": ["Broken."]})


@pytest.mark.parametrize("formula", ["=cmd|' /C calc'!A0", "@SUM(1)", "+1", "-1"])
def test_a_formula_is_text_like_any_other(formula: str) -> None:
    assert read(name=formula).values["name"] == formula


@pytest.mark.parametrize("columns", [["external_id"], ["address", "name", "other"], list(COLUMNS)])
def test_a_header_that_can_name_a_business_is_accepted(columns: list[str]) -> None:
    check_columns(columns)


@pytest.mark.parametrize("columns", [[], ["name", "city"], ["a", "b"]])
def test_a_header_that_names_no_business_is_refused(columns: list[str]) -> None:
    with pytest.raises(UnreadableFile, match="external_id, or name and address"):
        check_columns(columns)
