"""Opening hours in texts and of answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yellowbook.enrichment.hours import DAYS, Hours, normalised, read_hours

WEEK = DAYS[:5]


def of(days: tuple[str, ...], *spans: list[str]) -> Hours:
    return {day: list(spans) for day in days}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Open Mon-Fri 9:00-18:00.", of(WEEK, ["09:00", "18:00"])),
        ("Даваа-Баасан 09:00-18:00", of(WEEK, ["09:00", "18:00"])),
        ("Даваагаас Баасан гараг 09.00–18.00", of(WEEK, ["09:00", "18:00"])),
        ("Даваагаас Баасан хүртэл 09:00-18:00", of(WEEK, ["09:00", "18:00"])),
        ("Tues & Thurs 9:00-12:00", of(("tu", "th"), ["09:00", "12:00"])),
        ("Mo-Sa 10:00-19:00", of(DAYS[:6], ["10:00", "19:00"])),
        ("Monday to Friday: 10:00 - 20:00", of(WEEK, ["10:00", "20:00"])),
        ("Бямба, Ням 10:00-15:00", of(("sa", "su"), ["10:00", "15:00"])),
        ("Fri-Mon 20:00-02:00", of(("mo", "fr", "sa", "su"), ["20:00", "02:00"])),
        ("Өдөр бүр 08:00-22:00", of(DAYS, ["08:00", "22:00"])),
        ("Daily 8:00 to 22:00", of(DAYS, ["08:00", "22:00"])),
        ("Бид 24/7 ажиллана", of(DAYS, ["00:00", "24:00"])),
        ("24 цагаар нээлттэй", of(DAYS, ["00:00", "24:00"])),
        ("Sat 9:00-12:00, Sat 13:00-17:00", of(("sa",), ["09:00", "12:00"], ["13:00", "17:00"])),
        ("The show is at 19:00-21:00", None),
        ("Mon-Fri 29:00-31:00", None),
        ("Mon-Fri 9:00-9:00", None),
        ("Monument 9:00-18:00", None),
        ("Sunny garden, satisfied guests", None),
        ("", None),
    ],
)
def test_what_a_text_tells_is_read(text: str, expected: Hours | None) -> None:
    assert read_hours(text) == expected


@given(st.lists(st.tuples(st.lists(st.sampled_from([*DAYS, "xx"])), st.text(max_size=6), st.text(max_size=6))))
def test_whatever_comes_only_days_and_times_are_kept(spans: list[tuple[list[str], str, str]]) -> None:
    found = normalised(spans) or {}
    assert set(found) <= set(DAYS)
    assert all(len(time) == 5 and time <= "24:00" for day in found.values() for span in day for time in span)


@given(st.text())
def test_no_text_is_too_strange_to_be_read(text: str) -> None:
    read_hours(f"Mon {text} 9:00-18:00")
