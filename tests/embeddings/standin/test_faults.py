from collections import Counter
from typing import Any

import orjson
import pytest

from embeddings.standin.faults import FAULTS, WITH_DELAY, Faults, InvalidRule, Rule


def struck(faults: Faults, *texts: str) -> str | None:
    strike = faults.strike(texts or ("text",))
    return strike.fault if strike else None


def with_rules(*rules: Rule) -> Faults:
    faults = Faults()
    for rule in rules:
        faults.add(rule)
    return faults


def test_a_rule_strikes_the_next_call_and_no_more() -> None:
    faults = with_rules(Rule(fault="503"))
    assert [struck(faults) for _ in range(3)] == ["503", None, None]


def test_rules_strike_one_after_the_other() -> None:
    faults = with_rules(Rule(fault="503", calls=2), Rule(fault="reset"))
    assert [struck(faults) for _ in range(4)] == ["503", "503", "reset", None]


def test_a_rule_can_wait_for_some_calls() -> None:
    faults = with_rules(Rule(fault="503", after=2, calls=1))
    assert [struck(faults) for _ in range(4)] == [None, None, "503", None]


def test_a_probability_holds_until_it_is_taken_back_and_repeats_with_its_seed() -> None:
    def play(seed: int) -> list[str | None]:
        faults = with_rules(Rule(fault=["503", "reset"], probability=0.3, seed=seed))
        return [struck(faults) for _ in range(1000)]

    first = play(1)
    assert first == play(1)
    assert first != play(2)
    counted = Counter(first)
    assert 230 < counted["503"] + counted["reset"] < 370
    assert min(counted["503"], counted["reset"]) > 90


def test_a_marker_strikes_every_call_with_a_marked_text() -> None:
    faults = with_rules(Rule(fault="400", marker="poison"))
    assert struck(faults, "good", "some poison") == "400"
    assert struck(faults, "good") is None
    assert struck(faults, "poison") == "400"


def test_a_strike_knows_the_marked_texts() -> None:
    faults = with_rules(Rule(fault="nan", marker="bad", calls=1), Rule(fault="nan"))
    texts = ["good", "bad", "good", "so bad"]
    marked, unmarked = faults.strike(texts), faults.strike(texts)
    assert marked is not None
    assert unmarked is not None
    assert (marked.places, unmarked.places) == (frozenset({1, 3}), frozenset({0}))


def test_taking_rules_back_ends_them() -> None:
    faults = with_rules(Rule(fault="503", calls=10))
    faults.clear()
    assert struck(faults) is None


def test_rules_tell_what_is_left_of_them_and_how_often_they_struck() -> None:
    faults = with_rules(Rule(fault="503", calls=3))
    struck(faults)
    (described,) = faults.described()
    assert (described["fault"], described["calls"], described["struck"]) == ("503", 2, 1)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"fault": "no-such-fault"},
        {"fault": []},
        {"fault": ["503", 7]},
        {"fault": 503},
        {"fault": "503", "calls": "3"},
        {"fault": "503", "calls": True},
        {"fault": "503", "calls": -1},
        {"fault": "503", "after": -1},
        {"fault": "503", "probability": 1.5},
        {"fault": "503", "marker": None},
        {"fault": "503", "retry_after": -1},
        {"fault": "503", "retry_after": "90"},
        {"fault": "503", "retry_after": float("nan")},
        {"fault": "503", "retry_after": float("inf")},
        {"fault": "reset", "retry_after": 90},
        {"fault": ["400", "nan"], "retry_after": 90},
        {"fault": "503", "struck": 5},
        {"fault": "503", "often": 5},
    ],
)
def test_a_rule_that_can_not_be_followed_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(InvalidRule):
        Rule.parsed(given)


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_can_be_asked_for(fault: str) -> None:
    assert struck(with_rules(Rule.parsed({"fault": fault}))) == fault


def delays(retry_after: float | None, fault: str) -> list[str]:
    """Return the delays that the answer to a call with a fault asks for."""
    strike = with_rules(Rule(fault=fault, retry_after=retry_after)).strike(["text"])
    assert strike is not None
    assert strike.reply is not None
    details = orjson.loads(strike.reply.body)["error"].get("details", [])
    return [detail["retryDelay"] for detail in details if "retryDelay" in detail]


@pytest.mark.parametrize("fault", sorted(WITH_DELAY))
def test_a_rule_can_say_when_to_come_back(fault: str) -> None:
    assert delays(90, fault) == ["90s"]
    assert delays(0, fault) == ["0s"]


@pytest.mark.parametrize("fault", sorted(WITH_DELAY))
def test_a_delay_leaves_the_rest_of_the_error_as_it_is(fault: str) -> None:
    first, second = Rule(fault=fault, retry_after=90), Rule(fault=fault)
    faults = with_rules(first, second)
    with_delay, without = (faults.strike(["text"]).reply for _ in range(2))
    assert with_delay.status == without.status
    errors = [orjson.loads(reply.body)["error"] for reply in (with_delay, without)]
    assert errors[0]["status"] == errors[1]["status"]
    assert errors[0]["message"].partition("Please retry")[0] == errors[1]["message"].partition("Please retry")[0]


def test_of_faults_to_draw_from_those_that_can_carry_a_delay_do() -> None:
    faults = with_rules(Rule(fault=["503", "reset"], probability=1, retry_after=90))
    replies = {strike.fault: strike.reply for strike in (faults.strike(["text"]) for _ in range(50)) if strike}
    assert replies.keys() == {"503", "reset"}
    assert replies["reset"] is None
    assert b"90s" in replies["503"].body
