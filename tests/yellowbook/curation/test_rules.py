"""Editors' rules, featured businesses and occasions."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.core.exceptions import ValidationError

from embeddings.blocks import as_uuids
from yellowbook.curation.candidates import clusters
from yellowbook.curation.models import Collection, FeaturedBusiness, Rule
from yellowbook.curation.parameters import Narrowed, Parameters
from yellowbook.curation.services import plan_day, regenerate
from yellowbook.curation.surfaces import SURFACES
from yellowbook.directory.models import Business

from .support import enter, members, set_of, the_day, titles, work

pytestmark = pytest.mark.django_db(transaction=True)


def rule(**changes: Any) -> Rule:
    """Add a rule."""
    return Rule.objects.create(**{"title_mn": "Редакторын сонголт", "title_en": "Editors' choice", **changes})


def first_of(surface: str = "home") -> Collection | None:
    plan_day(the_day())
    work()
    return set_of(surface).collections.order_by("position").first()


def test_rules_come_before_clusters_under_their_own_title(directory: None) -> None:
    rule(category="Hotel", position=1)
    rule(title_en="Repairs", category="Автозасвар", position=0)
    plan_day(the_day())
    work()
    row = set_of()
    assert titles(row)[:2] == ["Repairs", "Editors' choice"]
    assert {each.category for each in members(row)[1]} == {"Hotel"}
    assert list(row.collections.order_by("position").values_list("theme", "titled_by"))[:2] == [("rule", "editor")] * 2


def test_businesses_without_a_vector_may_be_in_rules_but_in_no_cluster(db: None) -> None:
    enter(0, 8, category="Музей", fresh=False)
    rule(category="Музей")
    plan_day(the_day())
    work()
    assert titles(set_of()) == ["Editors' choice"]
    assert titles(set_of("discovery")) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"is_active": False},
        {"surface": "discovery"},
        {"active_from": date(2999, 1, 1)},
        {"active_until": date(2000, 1, 1)},
        {"occasion": "no_such"},
        {"city": "Хаана ч үгүй"},
        {"price_level": 4},
        {"tag": "wifi"},
        {"featured_only": True},
    ],
)
def test_a_rule_that_does_not_hold_makes_nothing(directory: None, changes: dict[str, Any]) -> None:
    rule(category="Hotel", **changes)
    found = first_of()
    assert found is not None
    assert found.theme == "cluster"


def test_a_rule_of_an_occasion_holds_in_its_days_and_comes_first_there(directory: None) -> None:
    rule(category="Hotel", occasion="new_year")
    for surface in ("home", "occasion"):
        for day in (date(2026, 12, 20), date(2026, 11, 20)):
            regenerate(surface, day, Parameters())
    work()
    assert titles(set_of("home", date(2026, 12, 20)))[0] == titles(set_of("occasion", date(2026, 12, 20)))[0]
    assert "Editors' choice" not in titles(set_of("home", date(2026, 11, 20)))
    assert "Editors' choice" not in titles(set_of("occasion", date(2026, 11, 20)))


def test_what_the_data_file_proposes_is_in_the_days_of_the_occasion(directory: None) -> None:
    regenerate("occasion", date(2027, 7, 11), Parameters())
    work()
    row = set_of("occasion", date(2027, 7, 11))
    assert titles(row)[:3] == ["Where to stay for Naadam", "Khuushuur for Naadam", "Ready for the road"]
    assert [{each.category for each in of_one} for of_one in members(row)[:3]] == [
        *({"Hotel"}, {"Ресторан"}, {"Автозасвар"}),
    ]


def test_what_is_featured_comes_first(directory: None) -> None:
    last = Business.objects.filter(category="Hotel").order_by("-pk")[0]
    FeaturedBusiness.objects.create(business=last)
    rule(category="Hotel")
    plan_day(the_day())
    work()
    assert members(set_of())[0][0] == last


def test_a_regeneration_may_take_only_what_is_featured(directory: None) -> None:
    for business in Business.objects.filter(category="Hotel")[:4]:
        FeaturedBusiness.objects.create(business=business)
    regenerate("home", the_day(), Parameters(filters=Narrowed(featured=True)))
    work()
    (only,) = members(set_of())
    assert len(only) == 4
    assert {each.category for each in only} == {"Hotel"}


def test_what_was_shown_lately_comes_last(directory: None) -> None:
    rule(category="Hotel", surface="home")
    few = Parameters(collections_count=1, businesses_per_collection=5)
    regenerate("home", the_day() - timedelta(days=1), few)
    work()
    regenerate("home", the_day(), few)
    work()
    (before,), (now,) = members(set_of("home", the_day() - timedelta(days=1))), members(set_of())
    assert set(before).isdisjoint(now)


def test_discovery_prefers_what_was_added_lately(db: None) -> None:
    enter(0, 12, category="Ресторан")
    Business.objects.update(created_at="2020-01-01T00:00:00Z")
    new = {each.pk for each in enter(0, 3, category="Ресторан")}

    def best(surface: str) -> set[UUID]:
        found = clusters(Business.objects.all(), 1, of_about=1, surface=SURFACES[surface], day=the_day())
        return set(as_uuids(found.ids[:3]))

    assert best("discovery") == new
    assert best("home") != new


def test_a_rule_says_what_is_wrong_with_it() -> None:
    with pytest.raises(ValidationError) as refused:
        Rule(title_mn="а", title_en="a", surface="moon", occasion="doomsday").full_clean()
    assert set(refused.value.message_dict) == {"surface", "occasion"}
    with pytest.raises(ValidationError, match="before the first"):
        Rule(title_mn="а", title_en="a", active_from="2026-02-01", active_until="2026-01-01").full_clean()
