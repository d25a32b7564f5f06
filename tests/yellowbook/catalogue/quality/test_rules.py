"""Each rule about the content of a listing, both ways, in both languages."""

import pytest

from yellowbook.catalogue.quality.by_rules import APPROVAL_CONFIDENCE, by_rules
from yellowbook.catalogue.quality.registry import RULES, rule
from yellowbook.catalogue.quality.verdict import Decision, Verdict

from .conftest import candidate

#: By rule: changes of a good listing that it finds fault with.
FAULTY: list[tuple[str, dict[str, str]]] = [
    ("fields_missing", {"name": " "}),
    ("fields_missing", {"category": ""}),
    ("fields_missing", {"address": ""}),
    ("unreachable", {"phone": "", "website": " "}),
    ("link_in_description", {"description": "Бүх бараа https://cheap.example.com/offer хаягаар."}),
    ("link_in_description", {"description": "Visit www.cheap.example for offers."}),
    ("link_in_description", {"description": "Order at t.me/cheapgoods or cheapgoods.shop today."}),
    ("link_in_description", {"description": "We moved to notnomin.example.mn last year."}),
    ("link_in_description", {"description": "See nomin.mn.", "website": "", "phone": "7011-2233"}),
    ("shouting", {"description": "ХАМГИЙН ХЯМД БАРАА ЗӨВХӨН МАНАЙД ИРЭЭРЭЙ"}),
    ("shouting", {"description": "THE CHEAPEST GOODS IN THE WHOLE COUNTRY ARE HERE"}),
    ("shouting", {"description": "Ирээрэй!!!"}),
    ("repeated_words", {"description": "хямд бараа хямд талх хямд сүү хямд жимс хямд гутал"}),
    ("repeated_words", {"description": "cheap Cheap shoes CHEAP cheap bags cheap"}),
    ("repeated_words", {"name": "Дэлгүүр дэлгүүр ДЭЛГҮҮР"}),
    ("phone_in_name", {"name": "Такси 9911-2233"}),
    ("phone_in_name", {"name": "Taxi +976 99 11 22 33"}),
    ("many_emoji", {"name": "🔥🔥 Хямдрал 🔥"}),
    ("many_emoji", {"name": "✨ Nomin ✨⭐"}),
    ("gambling", {"description": "Онлайн казино, өдөр бүр урамшуулал."}),
    ("gambling", {"description": "Спортын бооцооны хамгийн өндөр коэффициент."}),
    ("gambling", {"name": "Best Online  Casino"}),
    ("gambling", {"category": "Sports betting"}),
    ("dubious_loan", {"description": "Барьцаагүй зээлийг хүн бүрт."}),
    ("dubious_loan", {"description": "5 минутад зээл олгоно."}),
    ("dubious_loan", {"description": "Payday loans for everybody, no credit check."}),
    ("impossible_guarantee", {"description": "100% баталгаатай үр дүн."}),
    ("impossible_guarantee", {"description": "100 хувь баталгаа өгнө."}),
    ("impossible_guarantee", {"description": "We give a 100% GUARANTEE on profits."}),
    ("impossible_guarantee", {"description": "Guaranteed income from the first day."}),
]

#: Changes that look a little like it, and are fine.
FINE: list[tuple[str, dict[str, str]]] = [
    ("fields_missing", {"description": "", "city": ""}),
    ("unreachable", {"phone": "", "website": "", "email": "info@nomin.mn"}),
    ("unreachable", {"website": ""}),
    ("link_in_description", {"description": "Захиалга: info@nomin.mn, 9:00-18:00."}),
    ("link_in_description", {"description": "Order on nomin.example.mn or shop.nomin.example.mn/new."}),
    ("link_in_description", {"description": "Open 24 hours. Bread, milk etc. Delivery in town."}),
    ("shouting", {"description": "MCS, УИД, NOMIN брэндүүд."}),
    ("shouting", {"description": "ATM, VISA."}),
    ("shouting", {"description": "Тавтай морил! Та бэлэн үү?!"}),
    ("shouting", {"name": "ХААН БАНК ТӨВ САЛБАР УЛААНБААТАР"}),
    ("repeated_words", {"description": "Хямд талх, хямд сүү, хямд жимс өдөр бүр."}),
    (
        "repeated_words",
        {"description": "The bread, the milk, the fruit and the cheese: all of the farms near the town."},
    ),
    ("repeated_words", {"name": "Duran Duran"}),
    ("phone_in_name", {"name": "Эмийн сан 24/7"}),
    ("phone_in_name", {"name": "Жуулчны бааз 2024-2025"}),
    ("phone_in_name", {"name": "131 сургууль, 15 хороо"}),
    ("many_emoji", {"name": "Цэцэрлэг №5 ⭐"}),
    ("gambling", {"name": "Casino Royale Hotel"}),
    ("gambling", {"description": "Хүүхдийн тоглоомын төв."}),
    ("dubious_loan", {"description": "Орон сууцны зээл, хадгаламж."}),
    ("dubious_loan", {"description": "Loans for small businesses."}),
    ("impossible_guarantee", {"description": "100% ноос. Баталгаат хугацаа 1 жил."}),
    ("impossible_guarantee", {"description": "100% cashmere, guaranteed for two years."}),
]

BOTH = [*((name, changes, True) for name, changes in FAULTY), *((name, changes, False) for name, changes in FINE)]


@pytest.mark.parametrize(("name", "changes", "faulty"), BOTH, ids=lambda value: str(value)[:60])
def test_a_rule_finds_what_it_is_about_and_nothing_else(name: str, changes: dict[str, str], faulty: bool) -> None:
    reason = RULES[name].test(candidate(**changes))
    assert (reason is not None) is faulty, reason
    if reason:
        assert reason.endswith(".")
        assert len(reason) < 200


def test_every_rule_about_content_is_tried_both_ways() -> None:
    about_content = {name for name, each in RULES.items() if not each.beyond_listing}
    assert {name for name, _ in FAULTY} == about_content == {name for name, _ in FINE}


@pytest.mark.django_db
class TestVerdict:
    """How the rules add up."""

    def test_a_good_listing_is_approved_without_reasons(self) -> None:
        assert by_rules(candidate()) == Verdict(
            decision=Decision.APPROVED,
            reasons=(),
            confidence=APPROVAL_CONFIDENCE,
            checker="rules",
            prompt_version="",
        )

    def test_one_rule_that_flags_has_it_flagged_with_its_confidence(self) -> None:
        verdict = by_rules(candidate(phone="", website=""))
        assert verdict.decision is Decision.FLAGGED
        assert verdict.reasons == ("There is no phone, email or website to reach it by.",)
        assert verdict.confidence == RULES["unreachable"].confidence

    def test_the_worst_decides_and_all_reasons_are_told(self) -> None:
        verdict = by_rules(candidate(phone="", website="", description="Онлайн казино"))
        assert verdict.decision is Decision.REJECTED
        assert verdict.confidence == RULES["gambling"].confidence
        assert len(verdict.reasons) == 2

    def test_all_that_is_missing_is_named_at_once(self) -> None:
        assert by_rules(candidate(name="", address="")).reasons == ("It has no name and no address.",)

    def test_a_rule_is_added_where_it_stands_and_its_name_is_its_own(self, monkeypatch) -> None:
        with monkeypatch.context() as patch:
            patch.setattr("yellowbook.catalogue.quality.by_rules.RULES", RULES)

            @rule(Decision.FLAGGED, confidence=0.5)
            def called_nomin(listing):
                return "It is called Номин." if "Номин" in listing.listing.name else None

            try:
                assert by_rules(candidate()).reasons == ("It is called Номин.",)
                with pytest.raises(ValueError, match="already declared"):
                    rule(Decision.FLAGGED, confidence=0.5)(called_nomin)
            finally:
                del RULES["called_nomin"]
