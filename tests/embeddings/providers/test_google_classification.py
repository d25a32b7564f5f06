"""Bodies that the stand-in does not send: what else was seen in the wild."""

import json
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embeddings.google.errors import LONGEST_WAIT, cleaned, error_from
from embeddings.google.transport import Received
from jobs.errors import (
    AuthError,
    BadResponse,
    BatchRejected,
    ConfigurationError,
    JobError,
    QuotaExhausted,
    RateLimited,
    ServerError,
)


def classified(status: int, body: Any) -> JobError:
    received = Received()
    received.answer = httpx2.Response(status, text=body if isinstance(body, str) else json.dumps(body))
    return error_from(received, texts=2, secret="the-secret-key")


def failure(code: int, message: str, status: str = "", details: Any = ()) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "status": status, "details": list(details)}}


def quota(quota_id: str, value: str = "100") -> dict[str, Any]:
    return {"@type": "QuotaFailure", "violations": [{"quotaId": quota_id, "quotaValue": value}]}


def retry(delay: Any) -> dict[str, Any]:
    return {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}


@pytest.mark.parametrize(
    ("message", "details", "seconds"),
    [
        ("Please retry in 33.2s.", [], 33.2),
        ("Please retry in 33.2s.", [retry("7s")], 7.0),
        ("Please retry in 250ms.", [], 0.25),
        ("no delay", [retry("33.384105706s")], 33.384105706),
        ("no delay", [retry("0s")], 0.0),
        ("no delay", [retry("soon")], None),
        ("no delay", [retry(None)], None),
        ("no delay", [retry("-5s")], None),
        ("no delay", [retry("99999999999s")], LONGEST_WAIT),
        ("no delay", [], None),
    ],
)
@pytest.mark.parametrize(("status", "expected"), [(429, RateLimited), (503, ServerError)])
def test_the_delay_is_found_wherever_it_stands(
    status: int, expected: type[JobError], message: str, details: list[Any], seconds: float | None
) -> None:
    error = classified(status, failure(status, message, "", details))
    assert type(error) is expected
    assert error.retry_after == seconds


def test_a_quota_per_day_outweighs_one_per_minute() -> None:
    details = [quota("TokensPerMinute"), quota("EmbedContentRequestsPerDay-FreeTier"), retry("34s")]
    error = classified(429, failure(429, "exceeded", "RESOURCE_EXHAUSTED", details))
    assert type(error) is QuotaExhausted
    assert error.quota_id == "EmbedContentRequestsPerDay-FreeTier"
    assert error.retry_after is None


@pytest.mark.parametrize(("limit", "expected"), [("0", QuotaExhausted), ("0.5", RateLimited), ("01", RateLimited)])
def test_a_limit_of_zero_in_the_message_alone_is_exhausted(limit: str, expected: type[JobError]) -> None:
    assert type(classified(429, failure(429, f"* Quota exceeded for metric: x, limit: {limit}, model: y"))) is expected


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, failure(400, "API key expired. Please renew the API key."), AuthError),
        (400, [failure(400, "in a list", "FAILED_PRECONDITION")], ConfigurationError),
        (400, "not JSON at all", BatchRejected),
        (400, {"error": "a text"}, BatchRejected),
        (400, failure(400, "odd", "X", [None, 7, "text"]), BatchRejected),
        (403, "<!DOCTYPE html><html>proxy</html>", ServerError),
        (404, "", ConfigurationError),
        (405, "", ConfigurationError),
        (301, "", ConfigurationError),
        (429, "", RateLimited),
        (429, {"error": {"details": [{"violations": ["x"]}, {"violations": None}]}}, RateLimited),
        (502, "", ServerError),
        (599, "Internal error", ServerError),
        (204, "", BadResponse),
    ],
)
def test_odd_answers_have_a_class_too(status: int, body: Any, expected: type[JobError]) -> None:
    error = classified(status, body)
    assert type(error) is expected
    assert error.status_code == status


@given(
    st.integers(201, 599),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(["error", "message", "status", "details", "violations", "quotaId", "retryDelay"]), inner
            )
        ),
    ),
)
def test_any_answer_has_a_class(status: int, body: Any) -> None:
    assert classified(status, json.dumps(body)).status_code == status


@given(st.text(), st.text())
def test_no_message_keeps_a_key(before: str, after: str) -> None:
    secret = "AIzaSyB-0123456789_0123456789"
    shown = cleaned(f"{before}{secret} https://x/?key=abcdef {after}", secret)
    assert secret not in shown
    assert "abcdef" not in shown.replace(before, "").replace(after, "")


def test_keys_are_cleaned_from_messages_that_are_not_ours() -> None:
    message = classified(400, failure(400, "bad key AIzaSyC-another_key_of_someone and the-secret-key")).message
    assert "AIza" not in message
    assert "the-secret-key" not in message
