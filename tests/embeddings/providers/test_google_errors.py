"""Every row of the wire's errors, through both SDKs, over HTTP."""

from dataclasses import dataclass

import pytest

from embeddings.providers.base import Provider, TaskType
from embeddings.standin.faults import Rule
from embeddings.standin.service import StandIn
from embeddings.standin.wire import REQUESTS_PER_DAY, REQUESTS_PER_MINUTE, TOKENS_PER_MINUTE
from embeddings.vectors import checked_vectors
from jobs.errors import (
    AuthError,
    BadResponse,
    BatchRejected,
    ConfigurationError,
    InvalidInput,
    JobError,
    NetworkError,
    QuotaExhausted,
    RateLimited,
    ServerError,
)
from tests.embeddings.conftest import KEY, MakeProvider


@dataclass(frozen=True)
class Row:
    """A fault, and the error that it has to become for a call of several texts."""

    fault: str
    expected: type[JobError]
    status: int | None = None
    retry_after: float | None = None
    quota_id: str | None = None

    def __str__(self) -> str:
        return self.fault


ROWS = [
    Row("400", BatchRejected, 400),
    Row("413", BatchRejected, 413),
    Row("key_invalid", AuthError, 400),
    Row("key_leaked", AuthError, 403),
    Row("401", AuthError, 401),
    Row("403", AuthError, 403),
    Row("404", ConfigurationError, 404),
    Row("failed_precondition", ConfigurationError, 400),
    Row("429_minute", RateLimited, 429, 33.0, REQUESTS_PER_MINUTE.id),
    Row("429_tokens", RateLimited, 429, 33.0, TOKENS_PER_MINUTE.id),
    Row("429_bare", RateLimited, 429),
    Row("429_day", QuotaExhausted, 429, None, REQUESTS_PER_DAY.id),
    Row("429_zero", QuotaExhausted, 429, None, REQUESTS_PER_MINUTE.id),
    Row("408", ServerError, 408),
    Row("409", ServerError, 409),
    Row("499", ServerError, 499),
    Row("500", ServerError, 500),
    Row("503", ServerError, 503),
    Row("504", ServerError, 504),
    Row("html_502", ServerError, 502),
    Row("reset", NetworkError),
    Row("close", NetworkError),
    Row("truncate", NetworkError),
    Row("bad_json", BadResponse, 200),
    Row("html_200", BadResponse, 200),
    Row("no_embeddings", BadResponse, 200),
]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_fault_becomes_one_error_after_one_call(row: Row, provider: Provider, standin: StandIn) -> None:
    standin.faults.add(Rule(fault=row.fault))
    with pytest.raises(JobError) as caught:
        provider.embed(["Хатгал Кэмп", "Dental clinic"], TaskType.DOCUMENT)
    error = caught.value
    assert type(error) is row.expected
    assert error.status_code == row.status
    assert error.retry_after == row.retry_after
    assert error.quota_id == row.quota_id
    assert error.__cause__ is not None or row.fault == "no_embeddings"
    assert standin.log.totals()["calls"] == 1


@pytest.mark.parametrize("fault", ["400", "413"])
def test_a_single_text_that_is_refused_is_invalid(fault: str, provider: Provider, standin: StandIn) -> None:
    standin.faults.add(Rule(fault=fault))
    with pytest.raises(InvalidInput) as caught:
        provider.embed(["one"], TaskType.DOCUMENT)
    assert caught.value.status_code == int(fault)


@pytest.mark.parametrize("fault", ["bad_json", "html_200", "no_embeddings"])
def test_an_unusable_answer_leaves_a_sample(fault: str, provider: Provider, standin: StandIn) -> None:
    standin.faults.add(Rule(fault=fault))
    with pytest.raises(BadResponse) as caught:
        provider.embed(["one"], TaskType.DOCUMENT)
    assert caught.value.sample
    assert len(caught.value.sample) <= 200


@pytest.mark.parametrize("fault", ["nan", "null", "empty_vector", "zero_vector", "wrong_dimensions"])
def test_one_bad_vector_leaves_its_neighbours_good(fault: str, provider: Provider, standin: StandIn) -> None:
    standin.faults.add(Rule(fault=fault, marker="bad"))
    texts = ["good", "a bad one", "good too"]
    first, bad, last = checked_vectors(provider.embed(texts, TaskType.DOCUMENT), 3)
    assert isinstance(bad, BadResponse)
    assert not isinstance(first, BadResponse)
    assert not isinstance(last, BadResponse)
    assert standin.log.totals()["calls"] == 1


@pytest.mark.parametrize("fault", ["wrong_count", "wrong_count_more"])
def test_a_wrong_count_is_noticed(fault: str, provider: Provider, standin: StandIn) -> None:
    standin.faults.add(Rule(fault=fault))
    raw = provider.embed(["one", "two", "three"], TaskType.DOCUMENT)
    with pytest.raises(BadResponse):
        checked_vectors(raw, 3)


@pytest.mark.parametrize("text", ["", "half a character \ud800"])
def test_a_text_that_can_not_be_embedded_is_refused(text: str, provider: Provider) -> None:
    with pytest.raises(BatchRejected):
        provider.embed(["one", text], TaskType.DOCUMENT)
    with pytest.raises(InvalidInput):
        provider.embed([text], TaskType.DOCUMENT)


@pytest.mark.parametrize("model", ["../gemini", "a b", "gemini?key=x", "", "models/"])
def test_a_model_that_can_not_be_one_is_refused_at_once(model: str, make_provider: MakeProvider) -> None:
    with pytest.raises(ConfigurationError, match="EMBEDDING_MODEL"):
        make_provider(model=model)


def test_an_unknown_model_is_a_matter_of_configuration(make_provider: MakeProvider) -> None:
    with pytest.raises(ConfigurationError, match="models/no-such-model is not found"):
        make_provider(model="no-such-model").embed(["one"], TaskType.DOCUMENT)


def test_a_revoked_key_is_refused_until_it_is_restored(provider: Provider, standin: StandIn) -> None:
    standin.keys.revoke([KEY])
    with pytest.raises(AuthError) as caught:
        provider.embed(["one"], TaskType.DOCUMENT)
    assert caught.value.status_code == 400
    standin.keys.restore([KEY])
    assert len(provider.embed(["one"], TaskType.DOCUMENT)) == 1


def test_no_error_shows_the_key(provider: Provider, standin: StandIn) -> None:
    standin.faults.add(Rule(fault=["400", "401", "503", "reset", "bad_json", "429_minute"], calls=12))
    for _ in range(12):
        with pytest.raises(JobError) as caught:
            provider.embed(["one"], TaskType.DOCUMENT)
        assert KEY not in repr(caught.value) + repr(caught.value.sample)


@pytest.mark.parametrize("key", ["", "ключ", "two words", "new\nline"])
def test_a_key_that_can_not_be_one_is_refused_at_once(key: str, make_provider: MakeProvider) -> None:
    with pytest.raises(ConfigurationError, match="GEMINI_API_KEY") as caught:
        make_provider(api_key=key)
    assert not key or key not in str(caught.value)


def test_a_redirect_is_not_followed(make_provider: MakeProvider, redirecting: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        make_provider(base_url=redirecting).embed(["one"], TaskType.DOCUMENT)
    assert caught.value.status_code == 302
