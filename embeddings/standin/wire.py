"""What Google's API puts on the wire, version v1beta: bodies of answers, and the errors word for word."""

from dataclasses import dataclass
from typing import Any

import orjson

JSON = "application/json; charset=UTF-8"
HTML = "text/html; charset=UTF-8"

#: `batchEmbedContents` takes at most this many texts.
MAX_REQUESTS = 100
#: The shortest `X-Server-Timeout` that Google accepts, in seconds.
SHORTEST_DEADLINE = 10.0


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer."""

    status: int
    body: bytes
    content_type: str = JSON


def reply(answer: Any, status: int = 200) -> Reply:
    """An answer in JSON."""
    return Reply(status, orjson.dumps(answer))


def error(code: int, message: str, status: str, details: list[dict[str, Any]] | None = None) -> Reply:
    """An error in Google's form; `status` is the gRPC name."""
    body: dict[str, Any] = {"code": code, "message": message, "status": status}
    if details:
        body["details"] = details
    return reply({"error": body}, code)


def _about_key(reason: str) -> dict[str, Any]:
    return {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": reason,
        "domain": "googleapis.com",
        "metadata": {"service": "generativelanguage.googleapis.com"},
    }


_KEY_NOT_VALID = "API key not valid. Please pass a valid API key."

#: Errors whose body never changes, by the names that faults are called by.
ERRORS = {
    "400": error(400, "Request contains an invalid argument.", "INVALID_ARGUMENT"),
    "key_invalid": error(
        400,
        _KEY_NOT_VALID,
        "INVALID_ARGUMENT",
        [
            _about_key("API_KEY_INVALID"),
            {
                "@type": "type.googleapis.com/google.rpc.LocalizedMessage",
                "locale": "en-US",
                "message": _KEY_NOT_VALID,
            },
        ],
    ),
    "failed_precondition": error(400, "User location is not supported for the API use.", "FAILED_PRECONDITION"),
    "401": error(
        401,
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid "
        "authentication credential.",
        "UNAUTHENTICATED",
        [_about_key("ACCESS_TOKEN_TYPE_UNSUPPORTED")],
    ),
    "403": error(403, "The caller does not have permission", "PERMISSION_DENIED"),
    "key_missing": error(
        403,
        "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other "
        "form of API consumer identity to call this API.",
        "PERMISSION_DENIED",
    ),
    "key_leaked": error(403, "Your API key was reported as leaked. Please use another API key.", "PERMISSION_DENIED"),
    "404": error(404, "Requested entity was not found.", "NOT_FOUND"),
    "408": error(408, "The request timed out.", "DEADLINE_EXCEEDED"),
    "409": error(409, "The operation was aborted.", "ABORTED"),
    "413": error(413, "Request payload size exceeds the limit.", "INVALID_ARGUMENT"),
    "429_bare": error(429, "Resource has been exhausted (e.g. check quota).", "RESOURCE_EXHAUSTED"),
    "499": error(499, "The operation was cancelled.", "CANCELLED"),
    "500": error(
        500,
        "An internal error has occurred. Please retry or report in "
        "https://developers.generativeai.google/guide/troubleshooting",
        "INTERNAL",
    ),
    "503": error(503, "The model is overloaded. Please try again later.", "UNAVAILABLE"),
    "504": error(504, "Deadline expired before operation could complete.", "DEADLINE_EXCEEDED"),
    "html_502": Reply(
        502, b"<!DOCTYPE html><html><title>Error 502 (Server Error)!!1</title></html>", content_type=HTML
    ),
    "empty_text": error(400, "EmbedContentRequest.content contains an empty Part.", "INVALID_ARGUMENT"),
    "too_many": error(
        400,
        "* BatchEmbedContentsRequest.requests: at most 100 requests can be in one batch\n",
        "INVALID_ARGUMENT",
    ),
    "not_json": error(400, "Invalid JSON payload received. Unexpected token.", "INVALID_ARGUMENT"),
    "short_deadline": error(400, "Minimum allowed deadline is 10s", "INVALID_ARGUMENT"),
}


@dataclass(frozen=True, slots=True)
class Quota:
    """A quota of the free tier, by Google's names for it."""

    metric: str
    id: str


REQUESTS_PER_MINUTE = Quota(
    "embed_content_free_tier_requests", "EmbedContentRequestsPerMinutePerUserPerProjectPerModel-FreeTier"
)
REQUESTS_PER_DAY = Quota(
    "embed_content_free_tier_requests", "EmbedContentRequestsPerDayPerUserPerProjectPerModel-FreeTier"
)
TOKENS_PER_MINUTE = Quota(
    "embed_content_free_tier_input_token_count", "EmbedContentInputTokensPerMinutePerProjectPerModel-FreeTier"
)


def quota_exceeded(quota: Quota, limit: int, retry_after: float) -> Reply:
    """The 429 that names an exceeded quota, with its limit and the seconds to wait.

    As on the wire, the message has the delay to the nanosecond and RetryInfo in whole seconds.
    """
    metric = f"generativelanguage.googleapis.com/{quota.metric}"
    model = "gemini-embedding-1.0"
    message = (
        "You exceeded your current quota, please check your plan and billing details. For more information on this "
        "error, head to: https://ai.google.dev/gemini-api/docs/rate-limits. To monitor your current usage, head to: "
        f"https://ai.dev/rate-limit. \n* Quota exceeded for metric: {metric}, limit: {limit}, model: {model}\n"
        f"Please retry in {retry_after:.9f}s."
    )
    details: list[dict[str, Any]] = [
        {
            "@type": "type.googleapis.com/google.rpc.Help",
            "links": [
                {
                    "description": "Learn more about Gemini API quotas",
                    "url": "https://ai.google.dev/gemini-api/docs/rate-limits",
                }
            ],
        },
        {
            "@type": "type.googleapis.com/google.rpc.QuotaFailure",
            "violations": [
                {
                    "quotaMetric": metric,
                    "quotaId": quota.id,
                    "quotaDimensions": {"location": "global", "model": model},
                    "quotaValue": str(limit),
                }
            ],
        },
        _retry_info(retry_after),
    ]
    return error(429, message, "RESOURCE_EXHAUSTED", details)


def _retry_info(retry_after: float) -> dict[str, Any]:
    return {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{int(retry_after)}s"}


def with_retry_info(plain: Reply, retry_after: float) -> Reply:
    """The same error in JSON, with a RetryInfo of so many whole seconds and no other details."""
    found = orjson.loads(plain.body)["error"]
    return error(found["code"], found["message"], found["status"], [_retry_info(retry_after)])


def unknown_model(model: str) -> Reply:
    """The 404 for a model that there is not."""
    return error(
        404,
        f"models/{model} is not found for API version v1beta, or is not supported for embedContent. Call ListModels to "
        "see the list of available models and their supported methods.",
        "NOT_FOUND",
    )


def generated(text: str, prompt_tokens: int, *, finish_reason: str = "STOP") -> Reply:
    """The answer of `generateContent`."""
    tokens = max(1, len(text.encode()) // 4)
    return reply(
        {
            "candidates": [
                {"content": {"parts": [{"text": text}], "role": "model"}, "finishReason": finish_reason, "index": 0}
            ],
            "usageMetadata": {
                "promptTokenCount": prompt_tokens,
                "candidatesTokenCount": tokens,
                "totalTokenCount": prompt_tokens + tokens,
            },
        }
    )


def blocked(reason: str, prompt_tokens: int) -> Reply:
    """The 200 of `generateContent` for a prompt that it refuses: no candidates."""
    return reply(
        {
            "promptFeedback": {"blockReason": reason},
            "usageMetadata": {"promptTokenCount": prompt_tokens, "totalTokenCount": prompt_tokens},
        }
    )


def model(name: str) -> Reply:
    """The description of a model."""
    return reply(
        {
            "name": f"models/{name}",
            "version": "001",
            "displayName": name,
            "inputTokenLimit": 2048,
            "outputTokenLimit": 1,
            "supportedGenerationMethods": ["embedContent", "batchEmbedContents", "generateContent"],
        }
    )
