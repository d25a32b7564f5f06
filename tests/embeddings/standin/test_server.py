"""The wire format, seen by a caller that is no SDK."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import numpy as np
import pytest

from embeddings.standin.faults import Rule
from embeddings.standin.server import LARGEST_BODY, StandInServer
from embeddings.standin.service import StandIn
from embeddings.standin.wire import ERRORS
from tests.embeddings.standin.conftest import PATH, Embed


def values(answer: httpx2.Response) -> list[list[float]]:
    return [each["values"] for each in answer.json()["embeddings"]]


def said(answer: httpx2.Response) -> tuple[int, str]:
    error = answer.json()["error"]
    assert error["code"] == answer.status_code
    return answer.status_code, error["message"]


def test_a_batch_is_answered_in_googles_form(embed: Embed) -> None:
    answer = embed("a hotel", "a dentist")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json; charset=UTF-8"
    assert [len(each) for each in values(answer)] == [768, 768]


def test_vectors_are_not_of_unit_norm_and_the_same_each_time(embed: Embed) -> None:
    first, again, other = values(embed("a hotel", "a hotel", "a dentist"))
    assert first == again == values(embed("a hotel"))[0]
    assert first != other
    assert 0.5 < np.linalg.norm(first) < 0.9


def test_vectors_have_a_meaning(embed: Embed) -> None:
    name, latin, other = np.array(values(embed("Хатгал Кэмп", "Khatgal camp", "Dental clinic")))
    assert name @ latin > name @ other


def test_vectors_of_another_model_are_others(http: httpx2.Client) -> None:
    body = {"content": {"parts": [{"text": "a hotel"}]}, "outputDimensionality": 768}
    found = [
        http.post(f"/v1beta/models/{model}:embedContent", json=body).json()["embedding"]["values"]
        for model in ("gemini-embedding-001", "gemini-embedding-2")
    ]
    assert found[0] != found[1]


@pytest.mark.parametrize(("asked", "length"), [({}, 3072), ({"outputDimensionality": 1536}, 1536)])
def test_a_single_text_has_an_answer_of_its_own_form(http: httpx2.Client, asked: dict[str, Any], length: int) -> None:
    answer = http.post(f"{PATH}:embedContent", json={"content": {"parts": [{"text": "a hotel"}]}, **asked})
    assert len(answer.json()["embedding"]["values"]) == length


def test_more_than_a_hundred_texts_are_refused_in_googles_words(embed: Embed) -> None:
    assert embed(*["text"] * 100).status_code == 200
    assert said(embed(*["text"] * 101)) == (
        400,
        "* BatchEmbedContentsRequest.requests: at most 100 requests can be in one batch\n",
    )


@pytest.mark.parametrize("text", ["", " \n"])
def test_an_empty_text_is_refused_in_googles_words(embed: Embed, text: str) -> None:
    assert said(embed("good", text)) == (400, "EmbedContentRequest.content contains an empty Part.")


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"requests": 7}', b'{"requests": [7]}', b'{"requests": [{"content": []}]}']
)
def test_what_is_no_request_is_refused(http: httpx2.Client, body: bytes) -> None:
    assert said(http.post(f"{PATH}:batchEmbedContents", content=body))[0] == 400


def test_a_short_server_timeout_is_refused(embed: Embed) -> None:
    assert said(embed("text", **{"X-Server-Timeout": "9"})) == (400, "Minimum allowed deadline is 10s")
    assert embed("text", **{"X-Server-Timeout": "10"}).status_code == 200


def test_a_key_is_needed_in_the_header_or_the_query(server: StandInServer) -> None:
    body = {"content": {"parts": [{"text": "text"}]}}
    url = f"{server.url}{PATH}:embedContent"
    assert said(httpx2.post(url, json=body, trust_env=False))[0] == 403
    assert httpx2.post(f"{url}?key=some", json=body, trust_env=False).status_code == 200


def test_keys_can_be_few_and_be_revoked(embed: Embed, standin: StandIn) -> None:
    standin.keys.accept(["another"])
    assert said(embed("text"))[1] == "API key not valid. Please pass a valid API key."
    standin.keys.accept(["a-key", "another"])
    assert embed("text").status_code == 200
    standin.keys.revoke(["*"])
    assert said(embed("text"))[0] == 400
    standin.keys.restore(["*"])
    assert embed("text").status_code == 200


def test_a_quota_is_enforced_and_named(embed: Embed, standin: StandIn) -> None:
    standin.quotas.rpm = 15
    assert embed(*["text"] * 15).status_code == 200
    status, message = said(embed("text"))
    assert status == 429
    assert "embed_content_free_tier_requests, limit: 15" in message


def test_an_unknown_model_or_path_is_not_found(http: httpx2.Client) -> None:
    body = {"content": {"parts": [{"text": "text"}]}}
    assert said(http.post("/v1beta/models/no-such:embedContent", json=body))[0] == 404
    assert said(http.post("/v1beta/models/gemini-embedding-001:dance", json=body))[0] == 404
    assert said(http.get("/elsewhere"))[0] == 404


def test_a_model_describes_itself(http: httpx2.Client) -> None:
    assert http.get(PATH).json()["name"] == "models/gemini-embedding-001"


def test_a_huge_body_is_refused(http: httpx2.Client) -> None:
    answer = http.post(f"{PATH}:batchEmbedContents", content=b" " * (LARGEST_BODY + 1))
    assert answer.status_code == 413


@pytest.mark.parametrize("fault", ["key_invalid", "401", "403", "404", "413", "429_bare", "500", "503", "504", "400"])
def test_an_error_has_googles_body(fault: str, embed: Embed, standin: StandIn) -> None:
    standin.faults.add(Rule(fault=fault))
    answer = embed("text")
    assert answer.content == ERRORS[fault].body
    assert embed("text").status_code == 200


def test_a_page_of_html_is_one(embed: Embed, standin: StandIn) -> None:
    standin.faults.add(Rule(fault="html_502"))
    answer = embed("text")
    assert (answer.status_code, answer.headers["content-type"]) == (502, "text/html; charset=UTF-8")


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("reset", httpx2.ReadError),
        ("close", httpx2.RemoteProtocolError),
        ("truncate", httpx2.RemoteProtocolError),
        ("timeout", httpx2.ReadTimeout),
    ],
)
def test_the_connection_can_fail(
    fault: str, error: type[Exception], embed: Embed, http: httpx2.Client, standin: StandIn
) -> None:
    standin.faults.add(Rule(fault=fault))
    http.timeout = httpx2.Timeout(0.3)
    with pytest.raises(error):
        embed("text")
    http.timeout = httpx2.Timeout(30)
    assert embed("text").status_code == 200


def test_a_trickle_ends_in_a_whole_answer(embed: Embed, standin: StandIn) -> None:
    standin.trickle = 0
    standin.faults.add(Rule(fault="trickle"))
    assert len(values(embed("text"))[0]) == 768


def test_hundreds_of_callers_are_served_at_once(server: StandInServer, standin: StandIn) -> None:
    body = {"content": {"parts": [{"text": "text"}]}}

    def call(client: httpx2.Client) -> int:
        return client.post(f"{server.url}{PATH}:embedContent?key=k", json=body).status_code

    limits = httpx2.Limits(max_connections=200)
    with httpx2.Client(trust_env=False, timeout=60, limits=limits) as client, ThreadPoolExecutor(200) as pool:
        assert set(pool.map(call, [client] * 400)) == {200}
    assert standin.log.totals()["calls"] == 400


# --- generateContent ------------------------------------------------------------------------------------------------


def ask(http: httpx2.Client, prompt: str) -> dict[str, Any]:
    body = {"contents": [{"parts": [{"text": prompt}], "role": "user"}]}
    answer: dict[str, Any] = http.post("/v1beta/models/gemini-2.5-flash:generateContent", json=body).json()
    return answer


def test_a_prompt_is_answered_with_an_echo(http: httpx2.Client) -> None:
    answer = ask(http, "Tags for a camp?")
    (candidate,) = answer["candidates"]
    assert "Tags for a camp?" in candidate["content"]["parts"][0]["text"]
    assert candidate["finishReason"] == "STOP"
    assert answer["usageMetadata"]["promptTokenCount"] == 4


def test_a_prompt_is_answered_by_script(http: httpx2.Client, standin: StandIn) -> None:
    standin.answers = [("camp", '["nature"]'), ("", "else")]
    assert ask(http, "Tags for a camp?")["candidates"][0]["content"]["parts"][0]["text"] == '["nature"]'
    assert ask(http, "Tags for a pub?")["candidates"][0]["content"]["parts"][0]["text"] == "else"


@pytest.mark.parametrize(("fault", "reason"), [("blocked_answer", "SAFETY"), ("cut_answer", "MAX_TOKENS")])
def test_an_answer_can_be_withheld_or_cut(fault: str, reason: str, http: httpx2.Client, standin: StandIn) -> None:
    standin.faults.add(Rule(fault=fault))
    assert ask(http, "prompt")["candidates"][0]["finishReason"] == reason


def test_a_prompt_can_be_refused(http: httpx2.Client, standin: StandIn) -> None:
    standin.faults.add(Rule(fault="blocked_prompt"))
    answer = ask(http, "prompt")
    assert answer["promptFeedback"]["blockReason"]
    assert "candidates" not in answer
