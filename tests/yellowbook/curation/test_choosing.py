"""From themes to collections: laws that hold for any themes."""

from collections.abc import Iterator
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from yellowbook.curation.choosing import Theme, choose

#: Few businesses, so that themes share many.
businesses = st.integers(0, 12).map(lambda number: UUID(int=number))
themes = st.lists(
    st.builds(Theme, kind=st.just("cluster"), candidates=st.lists(businesses, max_size=15), fewest=st.integers(1, 4)),
    max_size=6,
)


@given(themes, st.integers(1, 5), st.integers(1, 5))
def test_no_business_is_there_twice_and_nobody_who_is_no_candidate(given: list[Theme], count: int, size: int) -> None:
    chosen = choose(given, count=count, size=size)
    everybody = [business for each in chosen for business in each.businesses]
    assert len(everybody) == len(set(everybody))
    assert len(chosen) <= count
    for each in chosen:
        assert min(each.theme.fewest, size) <= len(each.businesses) <= size
        assert set(each.businesses) <= set(each.theme.candidates)
    places = [next(place for place, theme in enumerate(given) if theme is each.theme) for each in chosen]
    assert places == sorted(places)


def test_the_best_come_first_and_the_first_theme_has_them() -> None:
    one, two, three = (UUID(int=number) for number in range(3))
    first = Theme(kind="rule", candidates=[two, one])
    second = Theme(kind="rule", candidates=[one, three])
    assert [each.businesses for each in choose([first, second], count=2, size=2)] == [[two, one], [three]]


def test_no_more_themes_are_asked_for_than_are_needed() -> None:
    def endless() -> Iterator[Theme]:
        for number in range(10):
            assert number < 3, "too many"
            yield Theme(kind="rule", candidates=[UUID(int=number)])

    assert len(choose(endless(), count=3, size=1)) == 3
