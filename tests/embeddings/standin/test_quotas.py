from datetime import datetime
from zoneinfo import ZoneInfo

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embeddings.standin.quotas import MINUTE, Quotas, tokens_of
from embeddings.standin.wire import REQUESTS_PER_DAY, REQUESTS_PER_MINUTE, TOKENS_PER_MINUTE, Reply

#: In seconds since the epoch.
NOON = datetime(2026, 7, 25, 12, tzinfo=ZoneInfo("America/Los_Angeles")).timestamp()


class Clock:
    """Time that only moves when told to."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def violated(reply: Reply | None) -> str:
    assert reply is not None
    assert reply.status == 429
    details = orjson.loads(reply.body)["error"]["details"]
    (violation,) = details[1]["violations"]
    return str(violation["quotaId"])


def delay(reply: Reply | None) -> str:
    assert reply is not None
    return str(orjson.loads(reply.body)["error"]["details"][2]["retryDelay"])


def test_nothing_is_refused_without_limits(clock: Clock) -> None:
    assert Quotas(clock=clock).refusal(["text"] * 100) is None


def test_every_text_of_a_batch_is_a_request(clock: Clock) -> None:
    quotas = Quotas(rpm=15, clock=clock)
    assert quotas.refusal(["text"] * 10) is None
    assert violated(quotas.refusal(["text"] * 6)) == REQUESTS_PER_MINUTE.id
    assert quotas.refusal(["text"] * 5) is None
    assert violated(quotas.refusal(["text"])) == REQUESTS_PER_MINUTE.id


def test_a_minute_later_there_is_room_again(clock: Clock) -> None:
    quotas = Quotas(rpm=15, clock=clock)
    quotas.refusal(["text"] * 15)
    clock.now += MINUTE - 0.001
    assert quotas.refusal(["text"]) is not None
    clock.now += 0.001
    assert quotas.refusal(["text"] * 15) is None


def test_the_refusal_says_when_there_is_room(clock: Clock) -> None:
    quotas = Quotas(rpm=15, clock=clock)
    quotas.refusal(["text"] * 10)
    clock.now += 20
    quotas.refusal(["text"] * 5)
    assert delay(quotas.refusal(["text"] * 10)) == "40s"
    assert delay(quotas.refusal(["text"] * 11)) == "60s"


def test_a_refused_call_uses_nothing_up(clock: Clock) -> None:
    quotas = Quotas(rpm=15, rpd=20, clock=clock)
    quotas.refusal(["text"] * 16)
    assert quotas.used() == {"texts_this_minute": 0, "tokens_this_minute": 0, "texts_today": 0}


def test_tokens_are_counted_too(clock: Clock) -> None:
    quotas = Quotas(tpm=100, clock=clock)
    assert quotas.refusal(["abcd" * 60]) is None
    assert violated(quotas.refusal(["abcd" * 41])) == TOKENS_PER_MINUTE.id
    assert quotas.refusal(["abcd" * 40]) is None


@pytest.mark.parametrize(("text", "tokens"), [("", 0), ("a", 1), ("abcd", 1), ("abcde", 2), ("Хатгал", 3)])
def test_a_token_is_four_bytes(text: str, tokens: int) -> None:
    assert tokens_of(text) == tokens


def test_the_day_ends_at_midnight_in_california(clock: Clock) -> None:
    quotas = Quotas(rpd=20, clock=clock)
    quotas.refusal(["text"] * 20)
    clock.now = NOON + 12 * 3600 - 1
    assert violated(quotas.refusal(["text"])) == REQUESTS_PER_DAY.id
    clock.now += 1
    assert quotas.refusal(["text"]) is None


def test_a_call_larger_than_the_limit_never_passes(clock: Clock) -> None:
    assert delay(Quotas(rpm=15, clock=clock).refusal(["text"] * 16)) == "60s"


def test_forgetting_keeps_the_limits(clock: Clock) -> None:
    quotas = Quotas(rpm=15, rpd=15, clock=clock)
    quotas.refusal(["text"] * 15)
    quotas.forget()
    assert quotas.refusal(["text"] * 15) is None
    assert quotas.refusal(["text"]) is not None


@given(st.lists(st.tuples(st.floats(0, 30), st.integers(1, 20)), max_size=60))
def test_no_minute_ever_holds_more_than_the_limit(calls: list[tuple[float, int]]) -> None:
    clock = Clock()
    quotas = Quotas(rpm=15, clock=clock)
    admitted: list[tuple[float, int]] = []
    for pause, texts in calls:
        clock.now += pause
        if quotas.refusal(["text"] * texts) is None:
            admitted.append((clock.now, texts))
        else:
            window = sum(count for moment, count in admitted if moment > clock.now - MINUTE)
            assert window + texts > 15
    for end, _ in admitted:
        assert sum(count for moment, count in admitted if end - MINUTE < moment <= end) <= 15
