"""What both SDKs send, and that nothing of the environment gets in."""

import json
from concurrent.futures import ThreadPoolExecutor

import httpx2
import numpy as np
import pytest

from embeddings.google.transport import Wire
from embeddings.providers.base import DIMENSIONS, Provider, TaskType
from embeddings.standin.faults import Rule
from embeddings.standin.server import StandInServer
from embeddings.standin.service import StandIn
from embeddings.vectors import checked_vectors
from jobs.errors import NetworkError
from tests.embeddings.conftest import MODEL, MakeProvider

#: The older SDK writes the enumeration `TaskType` of Google's API as its numbers.
NUMBERS = {TaskType.QUERY: 1, TaskType.DOCUMENT: 2, TaskType.SIMILARITY: 3}


@pytest.mark.parametrize("model", [MODEL, "gemini-embedding-2", f"models/{MODEL}"])
def test_a_hundred_texts_are_one_call_of_a_hundred_texts(
    model: str, make_provider: MakeProvider, standin: StandIn
) -> None:
    vectors = make_provider(model=model).embed([f"business {number}" for number in range(100)], TaskType.DOCUMENT)
    assert len(vectors) == 100
    assert {len(vector) for vector in vectors} == {DIMENSIONS}
    (call,) = standin.log.calls()
    assert (call["method"], call["texts"]) == ("batchEmbedContents", 100)


@pytest.mark.parametrize("task", TaskType)
def test_a_text_goes_with_what_it_is_for(task: TaskType, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[bytes] = []
    send = Wire.handle_request

    def note(self: Wire, request: httpx2.Request) -> httpx2.Response:
        sent.append(request.read())
        return send(self, request)

    monkeypatch.setattr(Wire, "handle_request", note)
    provider.embed(["a hotel"], task)
    (body,) = [json.loads(each) for each in sent]
    (asked,) = body["requests"]
    assert asked["content"]["parts"] == [{"text": "a hotel"}]
    assert asked["taskType"] in (task.value, NUMBERS[task])
    assert asked["outputDimensionality"] == DIMENSIONS


def test_vectors_come_in_the_order_of_the_texts(provider: Provider) -> None:
    together = np.array(provider.embed(["a hotel", "Хатгал Кэмп", "a dentist"], TaskType.DOCUMENT))
    alone = [provider.embed([text], TaskType.DOCUMENT)[0] for text in ("a hotel", "Хатгал Кэмп", "a dentist")]
    assert np.allclose(together, np.array(alone))


def test_vectors_come_as_they_are_and_are_normalised_by_us(provider: Provider) -> None:
    raw = provider.embed(["a hotel"], TaskType.DOCUMENT)
    assert np.linalg.norm(raw[0]) < 0.9
    (vector,) = checked_vectors(raw, 1)
    assert np.linalg.norm(np.asarray(vector)) == pytest.approx(1)


def test_the_environment_changes_nothing(
    make_provider: MakeProvider, standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("GOOGLE_API_KEY", "a-key-of-another-project")
    monkeypatch.setenv("GOOGLE_GENAI_USE_VERTEXAI", "true")
    monkeypatch.setenv("GOOGLE_GENAI_API_VERSION", "v7")
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", "http://127.0.0.1:9")
    provider = make_provider(api_key="the-right-key")
    assert len(provider.embed(["one"], TaskType.QUERY)) == 1
    assert standin.log.calls()[0]["key"] == "-key"[-4:]


def test_many_threads_share_a_provider(provider: Provider, standin: StandIn) -> None:
    standin.faults.add(Rule(fault="400", marker="poison"))

    def embed(number: int) -> str:
        text = f"{'poison' if number % 3 == 0 else 'business'} {number}"
        try:
            (vector,) = provider.embed([text], TaskType.DOCUMENT)
        except Exception as error:
            return type(error).__name__
        return str(len(vector))

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(embed, range(48)))
    assert found == ["InvalidInput" if number % 3 == 0 else "768" for number in range(48)]
    assert standin.log.totals()["calls"] == 48


def test_calls_in_a_row_share_a_connection(provider: Provider, server: StandInServer) -> None:
    for _ in range(5):
        provider.embed(["one"], TaskType.DOCUMENT)
    assert server.connections == 1


@pytest.mark.parametrize("fault", ["trickle", "timeout"])
def test_a_server_that_never_finishes_is_cut_off(fault: str, make_provider: MakeProvider, standin: StandIn) -> None:
    provider = make_provider(timeout=0.5)
    standin.faults.add(Rule(fault=fault))
    with pytest.raises(NetworkError, match=r"No complete answer within 0\.5 s"):
        provider.embed(["one"], TaskType.DOCUMENT)
    assert standin.log.totals()["calls"] == 1
    assert len(provider.embed(["one"], TaskType.DOCUMENT)) == 1


def test_headers_that_trickle_are_cut_off_too(make_provider: MakeProvider, trickling_headers: str) -> None:
    with pytest.raises(NetworkError, match=r"No complete answer within 0\.5 s"):
        make_provider(timeout=0.5, base_url=trickling_headers).embed(["one"], TaskType.DOCUMENT)


def test_a_server_that_is_not_there_is_a_network_error(make_provider: MakeProvider) -> None:
    with pytest.raises(NetworkError):
        make_provider(base_url="http://127.0.0.1:9").embed(["one"], TaskType.DOCUMENT)


def test_a_host_that_does_not_exist_is_a_network_error(make_provider: MakeProvider) -> None:
    with pytest.raises(NetworkError):
        make_provider(base_url="http://no-such-host.invalid").embed(["one"], TaskType.DOCUMENT)


def test_what_is_not_http_is_a_network_error(make_provider: MakeProvider, not_http: str) -> None:
    with pytest.raises(NetworkError):
        make_provider(base_url=not_http).embed(["one"], TaskType.DOCUMENT)
