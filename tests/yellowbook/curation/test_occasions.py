"""The occasions of the data file: when they are, and what belongs to them."""

from datetime import date, timedelta

import pytest

from yellowbook.curation.occasions import occasions, occasions_of


@pytest.mark.parametrize(
    ("day", "names"),
    [
        (date(2026, 2, 18), ["tsagaan_sar", "working_day"]),
        (date(2026, 2, 21), ["weekend"]),
        (date(2027, 7, 11), ["naadam", "weekend"]),
        (date(2026, 12, 9), ["working_day"]),
        (date(2026, 12, 31), ["new_year", "working_day"]),
        (date(2027, 1, 2), ["new_year", "weekend"]),
        (date(2027, 1, 3), ["weekend"]),
        (date(2028, 2, 29), ["working_day"]),
    ],
)
def test_an_occasion_is_on_in_its_days(day: date, names: list[str]) -> None:
    assert [occasion.name for occasion in occasions_of(day)] == names


def test_every_day_has_one_and_every_one_proposes_something() -> None:
    first = date(2026, 1, 1)
    assert all(occasions_of(first + timedelta(days=number)) for number in range(366))
    for occasion in occasions().values():
        assert occasion.proposals
        assert all(proposal.mn and proposal.en and proposal.categories for proposal in occasion.proposals)


def test_tsagaan_sar_is_known_for_the_years_to_come() -> None:
    years = {first.year for first, _ in occasions()["tsagaan_sar"].spans}
    assert years >= {2026, 2027, 2028, 2029, 2030}


@pytest.mark.parametrize(
    ("category", "suits"),
    [("Зочид буудал", True), ("Tour camp", True), ("ЗОЧИД", True), ("Ресторан", False), ("", False)],
)
def test_a_category_belongs_by_the_beginning_of_a_word_in_either_alphabet(category: str, suits: bool) -> None:
    assert occasions()["naadam"].proposals[0].suits(category) is suits
