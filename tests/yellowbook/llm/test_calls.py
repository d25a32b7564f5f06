"""Prompts over HTTP to the stand-in: what comes back, and what every failure becomes."""

import json
from dataclasses import dataclass
from typing import Literal

import pytest
from pydantic import BaseModel, Field

from embeddings.models import ProviderUsage
from embeddings.standin import wire
from embeddings.standin.faults import Rule
from embeddings.standin.service import Outcome, Request, StandIn
from jobs.errors import (
    AuthError,
    BadResponse,
    ConfigurationError,
    InvalidInput,
    JobError,
    NetworkError,
    QuotaExhausted,
    RateLimited,
    ServerError,
)
from tests.embeddings.conftest import KEY
from yellowbook.llm import Blocked, Generated, available, calls, generate

pytestmark = pytest.mark.django_db(transaction=True)


class Colour(BaseModel):
    name: Literal["red", "blue"]
    strength: float = Field(ge=0, le=1)


GOOD = '{"name": "red", "strength": 0.5}'


def answering(standin: StandIn, text: str = GOOD) -> None:
    standin.answers = [("", text)]


def ask(**changes):
    return generate("Which colour is Улаан?", schema=Colour, **changes)


def usage() -> dict[str, tuple[int, int]]:
    return {row.outcome: (row.calls, row.texts) for row in ProviderUsage.objects.filter(provider="gemini")}


@dataclass(frozen=True)
class Row:
    """A fault, and the error that it has to become."""

    fault: str
    expected: type[JobError]
    status: int | None = None
    retry_after: float | None = None

    def __str__(self) -> str:
        return self.fault


ROWS = [
    Row("400", InvalidInput, 400),
    Row("413", InvalidInput, 413),
    Row("key_invalid", AuthError, 400),
    Row("key_leaked", AuthError, 403),
    Row("401", AuthError, 401),
    Row("403", AuthError, 403),
    Row("404", ConfigurationError, 404),
    Row("failed_precondition", ConfigurationError, 400),
    Row("429_minute", RateLimited, 429, 33.0),
    Row("429_tokens", RateLimited, 429, 33.0),
    Row("429_bare", RateLimited, 429),
    Row("429_day", QuotaExhausted, 429),
    Row("429_zero", QuotaExhausted, 429),
    Row("408", ServerError, 408),
    Row("499", ServerError, 499),
    Row("500", ServerError, 500),
    Row("503", ServerError, 503),
    Row("504", ServerError, 504),
    Row("html_502", ServerError, 502),
    Row("reset", NetworkError),
    Row("close", NetworkError),
    Row("truncate", NetworkError),
    Row("cut_answer", BadResponse, 200),
    Row("bad_json", BadResponse, 200),
]


def test_an_answer_that_fits_comes_back_as_an_object_with_what_it_cost(standin: StandIn) -> None:
    answering(standin)
    answer = ask()
    assert isinstance(answer, Generated)
    assert answer.value == Colour(name="red", strength=0.5)
    assert answer.model == "gemini-2.5-flash"
    assert answer.tokens.prompt > 0
    assert answer.tokens.answer > 0
    assert usage() == {"ok": (1, 1)}


def test_the_call_carries_the_prompt_and_asks_for_json_of_the_schema(standin: StandIn, monkeypatch) -> None:
    bodies = []
    outcome = standin.outcome

    def noting(request: Request) -> Outcome:
        bodies.append(json.loads(request.body))
        return outcome(request)

    monkeypatch.setattr(standin, "outcome", noting)
    answering(standin)
    ask(system="You know colours.")
    (body,) = bodies
    assert body["contents"][0]["parts"] == [{"text": "Which colour is Улаан?"}]
    assert body["systemInstruction"]["parts"] == [{"text": "You know colours."}]
    config = body["generationConfig"]
    assert config["responseMimeType"] == "application/json"
    assert config["responseJsonSchema"] == Colour.model_json_schema()
    assert config["temperature"] == 0


def test_the_caller_may_name_another_model(standin: StandIn) -> None:
    answering(standin)
    assert ask(model="gemini-2.5-pro").model == "gemini-2.5-pro"
    assert [call["model"] for call in standin.log.calls()] == ["gemini-2.5-pro"]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_fault_becomes_one_error_after_one_call(row: Row, standin: StandIn) -> None:
    answering(standin)
    standin.faults.add(Rule(fault=row.fault))
    with pytest.raises(JobError) as caught:
        ask()
    error = caught.value
    assert type(error) is row.expected
    assert (error.status_code, error.retry_after) == (row.status, row.retry_after)
    assert standin.log.totals()["calls"] == 1
    assert usage() == {str(error.error_class): (1, 1)}


@pytest.mark.parametrize("fault", ["timeout", "trickle"])
def test_a_call_ends_at_its_deadline_whatever_the_server_does(fault: str, standin: StandIn, settings) -> None:
    settings.LLM_TIMEOUT = 0.5
    answering(standin)
    standin.faults.add(Rule(fault=fault))
    with pytest.raises(NetworkError, match=r"within 0\.5 s"):
        ask()


@pytest.mark.parametrize(("fault", "reason"), [("blocked_prompt", "PROHIBITED_CONTENT"), ("blocked_answer", "SAFETY")])
def test_a_block_is_an_outcome(fault: str, reason: str, standin: StandIn) -> None:
    answering(standin)
    standin.faults.add(Rule(fault=fault))
    answer = ask()
    assert isinstance(answer, Blocked)
    assert (answer.reason, answer.model) == (reason, "gemini-2.5-flash")
    assert usage() == {"ok": (1, 1)}


def test_a_cut_answer_is_not_used_even_if_it_fits(standin: StandIn, monkeypatch) -> None:
    monkeypatch.setattr(standin, "_generated", lambda *_: wire.generated(GOOD, 1, finish_reason="MAX_TOKENS"))
    with pytest.raises(BadResponse, match="MAX_TOKENS") as caught:
        ask()
    assert "strength" in caught.value.sample


@pytest.mark.parametrize(
    "text",
    [
        "red, I think",
        '{"name": "red"}',
        '{"name": "green", "strength": 0.5}',
        '{"name": "red", "strength": 7}',
        '{"name": "red", "strength": NaN}',
        "[]",
        "null",
        "",
    ],
)
def test_an_answer_that_does_not_fit_is_a_bad_response_with_a_sample(text: str, standin: StandIn) -> None:
    answering(standin, text)
    with pytest.raises(BadResponse, match="does not fit the schema") as caught:
        ask()
    assert caught.value.sample == text
    assert usage() == {"bad_response": (1, 1)}


def test_a_sample_is_short_and_without_the_key(standin: StandIn) -> None:
    answering(standin, f"{KEY} " + "x" * 5000)
    with pytest.raises(BadResponse) as caught:
        ask()
    assert len(caught.value.sample) == 200
    assert KEY not in caught.value.sample


@pytest.mark.parametrize("answer", [{}, {"candidates": []}, {"candidates": "none"}, [1], {"candidates": [{}]}])
def test_an_answer_of_another_form_is_a_bad_response(answer, standin: StandIn, monkeypatch) -> None:
    monkeypatch.setattr(standin, "_generated", lambda *_: wire.reply(answer))
    with pytest.raises(BadResponse):
        ask()


def test_thoughts_are_not_part_of_the_answer_but_of_what_it_cost(standin: StandIn, monkeypatch) -> None:
    parts = [{"text": "Hm.", "thought": True}, {"text": GOOD[:9]}, {"text": GOOD[9:]}]
    spent = {"promptTokenCount": 5, "candidatesTokenCount": 7, "thoughtsTokenCount": 11}
    answer = {"candidates": [{"content": {"parts": parts}, "finishReason": "STOP"}], "usageMetadata": spent}
    monkeypatch.setattr(standin, "_generated", lambda *_: wire.reply(answer))
    found = ask()
    assert found.value.name == "red"
    assert (found.tokens.prompt, found.tokens.answer) == (5, 18)


@pytest.mark.parametrize("prompt", ["half \ud800", "", " \n"])
def test_what_is_no_text_is_invalid_input_and_is_not_sent(prompt: str, standin: StandIn) -> None:
    with pytest.raises(InvalidInput):
        generate(prompt, schema=Colour)
    assert standin.log.totals()["calls"] == 0


def test_a_call_that_the_sdk_refuses_is_not_judged_by_the_answer_to_another(standin: StandIn, monkeypatch) -> None:
    standin.faults.add(Rule(fault="503"))
    with pytest.raises(ServerError):
        ask()

    def refuse(**_):
        raise TypeError("no such option")

    monkeypatch.setattr(calls._client()._client.models, "generate_content", refuse)
    with pytest.raises(ConfigurationError, match="no such option"):
        ask()


def test_a_name_that_is_no_model_is_a_mistake_of_configuration(standin: StandIn, settings) -> None:
    settings.LLM_MODEL = "../../secrets"
    with pytest.raises(ConfigurationError, match="LLM_MODEL"):
        ask()
    assert standin.log.totals()["calls"] == 0


def test_without_a_key_nobody_is_there_to_ask(standin: StandIn, settings) -> None:
    assert available()
    settings.GEMINI_API_KEY = ""
    assert not available()
    with pytest.raises(ConfigurationError, match="GEMINI_API_KEY"):
        ask()


def test_the_key_is_in_no_log_and_no_error(standin: StandIn, caplog, monkeypatch) -> None:
    caplog.set_level("DEBUG")
    standin.faults.add(Rule(fault="key_invalid"))
    with pytest.raises(AuthError) as caught:
        ask()
    assert KEY not in caplog.text
    assert KEY not in str(caught.value)
