"""The same business twice: by text, and by city or phone."""

import pytest

from yellowbook.catalogue.quality.check import check
from yellowbook.catalogue.quality.duplicates import duplicate
from yellowbook.catalogue.quality.listing import Candidate
from yellowbook.catalogue.quality.verdict import Decision
from yellowbook.directory.models import BusinessStatus

pytestmark = pytest.mark.django_db

ELSEWHERE = {"city": "Дархан", "phone": "7037-4455"}


def found(business) -> str | None:
    return duplicate(Candidate.of(business))


def test_the_same_text_in_the_same_city_is_a_duplicate_that_names_the_other_one(listed) -> None:
    other, mine = listed(0.98, phone="1"), listed(phone="9911-0000")
    reason = found(mine)
    assert other.name in reason
    assert str(other.pk) in reason
    assert "same city:" in reason
    assert "0.98" in reason
    verdict = check(mine.pk)
    assert (verdict.decision, verdict.reasons, verdict.checker) == (Decision.FLAGGED, (reason,), "rules")


def test_the_same_text_with_the_same_phone_is_one_too(listed) -> None:
    listed(city="Дархан", phone="70112233")
    assert "same phone:" in found(listed(phone="+976 7011-2233"))


def test_one_of_several_phones_is_enough(listed) -> None:
    listed(city="Дархан", phone="9911-0000, 7011-2233")
    assert found(listed())


def test_both_are_told(listed) -> None:
    listed()
    assert "same city and phone:" in found(listed())


def test_a_city_is_the_same_in_both_scripts(listed) -> None:
    listed(city="Ulaanbaatar", phone="")
    assert found(listed(city="УЛААНБААТАР "))


def test_the_same_text_elsewhere_is_another_branch(listed) -> None:
    listed(**ELSEWHERE)
    assert found(listed()) is None


def test_no_city_and_no_phone_are_not_the_same_ones(listed) -> None:
    listed(city="", phone="")
    assert found(listed(city="", phone="")) is None
    assert found(listed(city="", phone="9911-0000")) is None


@pytest.mark.parametrize(("cosine", "expected"), [(0.975, True), (0.965, False)])
def test_the_texts_have_to_be_nearly_the_same(listed, cosine: float, expected: bool) -> None:
    listed(cosine)
    assert (found(listed()) is not None) is expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (BusinessStatus.PUBLISHED, True),
        (BusinessStatus.PENDING, True),
        (BusinessStatus.DRAFT, False),
        (BusinessStatus.UNPUBLISHED, False),
    ],
)
def test_only_published_and_waiting_ones_count(listed, status: str, expected: bool) -> None:
    listed(status=status)
    assert (found(listed()) is not None) is expected


def test_vectors_of_another_model_and_of_an_older_text_are_not_compared(listed) -> None:
    listed()
    assert found(listed(model="another")) is None
    assert found(listed(fresh=False)) is None


def test_the_nearest_one_that_shares_something_is_named(listed) -> None:
    listed(0.999, name="Elsewhere", **ELSEWHERE)
    listed(0.98, name="Farther")
    listed(0.99, name="Nearer")
    assert "'Nearer'" in found(listed())


class TestWithoutVector:
    """The rule can't be applied: that is told only where it matters."""

    def test_an_approval_says_so_where_there_might_be_a_duplicate(self, listed) -> None:
        listed(phone="")
        verdict = check(listed(None).pk)
        assert verdict.decision is Decision.APPROVED
        (reason,) = verdict.reasons
        assert "not compared" in reason

    def test_nothing_is_said_where_no_other_could_be_one(self, listed) -> None:
        listed(**ELSEWHERE)
        listed(status=BusinessStatus.DRAFT)
        assert check(listed(None).pk).reasons == ()
        assert check(listed(None, city="", phone="").pk).reasons == ()

    def test_nothing_is_said_where_it_is_flagged_anyway(self, listed) -> None:
        listed(phone="")
        (reason,) = check(listed(None, description="Ирээрэй!!!").pk).reasons
        assert "exclamation" in reason
