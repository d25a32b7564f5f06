"""Steering the stand-in from outside."""

from hashlib import sha256
from typing import Any

import httpx2
import pytest

from embeddings.standin.log import CallLog
from embeddings.standin.server import StandInServer
from embeddings.standin.service import StandIn
from tests.embeddings.standin.conftest import PATH, Embed


def state(http: httpx2.Client) -> dict[str, Any]:
    found: dict[str, Any] = http.get("/_standin/state").json()
    return found


def test_the_log_tells_who_asked_what(embed: Embed, http: httpx2.Client) -> None:
    http.post("/_standin/faults", json={"fault": "503"})
    embed("a hotel", "Хатгал")
    embed("a hotel", **{"x-goog-api-key": "AIzaSy-secret-1234"})
    first, second = http.get("/_standin/log").json()["calls"]
    assert (first["status"], first["fault"], first["texts"]) == (503, "503", 2)
    assert first["sha256"][1] == sha256("Хатгал".encode()).hexdigest()
    assert (second["status"], second["fault"], second["key"]) == (200, None, "1234")
    assert second["text"] is None
    assert http.get("/_standin/log?since=1").json()["calls"] == [second]


def test_the_log_can_hold_the_texts() -> None:
    with (
        StandInServer(StandIn(log=CallLog(with_texts=True))) as server,
        httpx2.Client(base_url=server.url, trust_env=False, headers={"x-goog-api-key": "k"}) as http,
    ):
        http.post(f"{PATH}:embedContent", json={"content": {"parts": [{"text": "a hotel"}]}})
        assert server.standin.log.calls()[0]["text"] == ["a hotel"]


def test_totals_count_texts_that_were_embedded_twice(embed: Embed, http: httpx2.Client) -> None:
    http.post("/_standin/faults", json=[{"fault": "truncate"}, {"fault": "nan", "marker": "bad", "calls": 1}])
    with pytest.raises(httpx2.RemoteProtocolError):
        embed("one")
    embed("one", "bad")
    embed("one", "bad")
    assert state(http)["totals"] == {
        "calls": 3,
        "texts": 5,
        "largest_call": 2,
        "texts_embedded": 3,
        "distinct_texts_embedded": 2,
        "texts_embedded_more_than_once": 1,
        "by_status": {"200": 2, "truncate": 1},
    }


def test_faults_are_added_and_taken_back(embed: Embed, http: httpx2.Client) -> None:
    answer = http.post("/_standin/faults", json={"fault": "503", "calls": 2})
    assert [rule["fault"] for rule in answer.json()["faults"]] == ["503"]
    assert embed("text").status_code == 503
    assert http.delete("/_standin/faults").json()["faults"] == []
    assert embed("text").status_code == 200


def test_keys_are_revoked_and_restored(embed: Embed, http: httpx2.Client) -> None:
    answer = http.post("/_standin/keys", json={"revoke": ["a-key"]}).json()
    assert answer["keys"] == {"accepted": "any", "revoked": ["-key"]}
    assert embed("text").status_code == 400
    http.post("/_standin/keys", json={"restore": ["a-key"]})
    assert embed("text").status_code == 200


def test_quotas_are_set_and_lifted(embed: Embed, http: httpx2.Client) -> None:
    http.post("/_standin/quotas", json={"rpm": 1, "tpm": 1000, "rpd": 1000})
    assert [embed("text").status_code for _ in range(2)] == [200, 429]
    assert state(http)["quotas"]["texts_today"] == 1
    http.post("/_standin/quotas", json={"rpm": None})
    assert embed("text").status_code == 200


def test_latency_is_set(http: httpx2.Client, standin: StandIn) -> None:
    http.post("/_standin/latency", json={"seconds": 0.25, "trickle": 2})
    assert (standin.latency, standin.trickle) == (0.25, 2)


def test_answers_are_scripted(http: httpx2.Client, standin: StandIn) -> None:
    http.post("/_standin/answers", json=[{"marker": "camp", "text": "nature"}])
    assert standin.answers == [("camp", "nature")]


def test_a_reset_forgets_everything_but_latency_and_quotas(embed: Embed, http: httpx2.Client) -> None:
    for path, body in {
        "faults": {"fault": "503", "calls": 9},
        "keys": {"revoke": ["*"]},
        "quotas": {"rpm": 7},
        "latency": {"seconds": 0.01},
        "answers": {"text": "x"},
    }.items():
        http.post(f"/_standin/{path}", json=body)
    embed("text")
    http.post("/_standin/reset")
    found = state(http)
    assert found["totals"]["calls"] == 0
    assert found["faults"] == found["answers"] == found["keys"]["revoked"] == []
    assert (found["quotas"]["rpm"], found["latency"]) == (7, 0.01)
    assert embed("text").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "faults", b'{"fault": "no-such"}'),
        ("POST", "faults", b"7"),
        ("POST", "faults", b"{"),
        ("POST", "latency", b'{"seconds": -1}'),
        ("POST", "latency", b'{"seconds": "1"}'),
        ("POST", "quotas", b'{"rpm": "many"}'),
        ("POST", "quotas", b'{"rph": 1}'),
        ("POST", "keys", b'{"revoke": [1]}'),
        ("POST", "answers", b'{"say": "x"}'),
        ("GET", "log?since=yesterday", b""),
    ],
)
def test_what_is_not_understood_is_said(method: str, path: str, body: bytes, http: httpx2.Client) -> None:
    answer = http.request(method, f"/_standin/{path}", content=body)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_an_unknown_action_is_answered_with_the_known_ones(http: httpx2.Client) -> None:
    answer = http.post("/_standin/dance")
    assert answer.status_code == 404
    assert "POST faults" in answer.json()["actions"]
    assert "503" in http.get("/_standin/").json()["faults"]
