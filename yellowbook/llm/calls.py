"""One prompt: paid for, counted, and its answer checked against a schema."""

import json
import time
from functools import cache
from importlib import import_module
from threading import Lock
from typing import TYPE_CHECKING, Any

import structlog
from django.conf import settings
from pydantic import ValidationError

from embeddings.google.errors import sample
from embeddings.prepare import CHARACTERS_PER_TOKEN
from embeddings.usage import count_call
from jobs.budget import Budget, Cost
from jobs.errors import BadResponse, ErrorClass, InvalidInput, JobError, RateLimited
from jobs.retry import DEFAULT_POLICY
from yellowbook.llm.answers import Blocked, Generated, Text, Value
from yellowbook.llm.quota import PROVIDER, current_model, llm_throttle

if TYPE_CHECKING:
    from yellowbook.llm.gemini import Gemini

log = structlog.get_logger(__name__)

_making = Lock()


def generate(
    prompt: str,
    *,
    schema: type[Value],
    system: str = "",
    model: str | None = None,
    budget: Budget | None = None,
) -> Generated[Value] | Blocked:
    """Have `model`, else that of `LLM_MODEL`, answer one prompt with an object of `schema`, in exactly one call.

    `system` says what the model is to do, `prompt` with what. It is paid for from `budget`, of a lane whose throttle is
    `llm_throttle`, else from a new grant of that throttle. Never call it inside a transaction.

    Raises a `jobs.errors.JobError`: without budget `RateLimited`, with no status code and the seconds to wait in
    `retry_after`, and no call is made; `BadResponse`, with a sample, for an answer that was cut, is no JSON, or does
    not fit the schema; `InvalidInput` for a prompt that is blank or no text. A prompt that is refused, or an answer
    that is withheld, is no error but `Blocked`.
    """
    _check(prompt, system)
    model = model or current_model()
    json_schema = schema.model_json_schema()
    if budget is None:
        budget = Budget.of(llm_throttle(model), 1)
    if not budget.take([Cost(_tokens(system, prompt, json.dumps(json_schema)))]):
        wait = budget.short_for
        raise RateLimited(f"There is no budget for a prompt for another {wait:.0f} s.", retry_after=wait)
    try:
        answer = _counted(prompt, schema, json_schema, system, model)
    except RateLimited as error:
        budget.block(max(DEFAULT_POLICY[ErrorClass.RATE_LIMITED].delay or 0.0, error.retry_after or 0.0))
        raise
    finally:
        budget.done()
    return answer


def preload() -> None:
    """Import the SDK, which takes up to a second: for a kind of job, before the workers are forked."""
    import_module("yellowbook.llm.gemini")


def _counted(
    prompt: str, schema: type[Value], json_schema: dict[str, Any], system: str, model: str
) -> Generated[Value] | Blocked:
    started = time.monotonic()
    outcome, blocked = str(ErrorClass.SERVER), ""
    try:
        answer = _client().ask(model, prompt, system=system, schema=json_schema)
        outcome = "ok"
        if isinstance(answer, Blocked):
            blocked = answer.reason
            return answer
        return Generated(value=_parsed(answer, schema), model=model, tokens=answer.tokens)
    except JobError as error:
        outcome = str(error.error_class)
        raise
    finally:
        seconds = time.monotonic() - started
        told = {"outcome": outcome, "blocked": blocked, "ms": round(seconds * 1000)}
        log.info("provider_call", provider=PROVIDER, model=model, texts=1, **told)
        count_call(PROVIDER, model, outcome, texts=1, seconds=seconds)


def _check(prompt: str, system: str) -> None:
    """Raise `InvalidInput` for what no model accepts, before it costs anything."""
    if not prompt.strip():
        raise InvalidInput("There is no prompt.")
    try:
        f"{prompt}{system}".encode()
    except UnicodeEncodeError:
        raise InvalidInput("The prompt holds half a character (a lone surrogate).") from None


def _parsed(answer: Text, schema: type[Value]) -> Value:
    try:
        return schema.model_validate_json(answer.text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"])) or "the answer"
        shown = sample(answer.text, settings.GEMINI_API_KEY)
        message = f"The answer does not fit the schema: {place}: {first['msg']}"
        raise BadResponse(message, status_code=200, sample=shown) from error


def _tokens(*texts: str) -> int:
    """Estimate the tokens of texts, at the most."""
    return int(sum(map(len, texts)) / CHARACTERS_PER_TOKEN) + 1


def _client() -> "Gemini":
    """Return this process's client; made at first use, so after any fork, and kept: it holds connections."""
    with _making:
        return _made(settings.LLM_TIMEOUT, settings.GEMINI_API_KEY, settings.GEMINI_BASE_URL)


@cache
def _made(timeout: float, api_key: str, base_url: str) -> "Gemini":
    made: Gemini = import_module("yellowbook.llm.gemini").Gemini(timeout=timeout, api_key=api_key, base_url=base_url)
    return made
