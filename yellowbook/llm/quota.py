"""Whether there is somebody to ask, and the budget that all prompts share."""

from functools import cache, partial

from django.conf import settings

from embeddings.usage import history_of
from jobs.kinds import all_kinds
from jobs.throttle import History, Limits, Throttle

#: Whose models they are, in rows and metrics.
PROVIDER = "gemini"


def available() -> bool:
    """Tell whether there is a key."""
    return bool(settings.GEMINI_API_KEY)


def current_model() -> str:
    """Return the name of the model that is asked unless the caller names one."""
    return str(settings.LLM_MODEL)


def limits() -> Limits:
    """Return the limits that the settings name. A prompt is a unit; none are kept for urgent ones."""
    return Limits(
        units_per_minute=settings.LLM_RPM,
        tokens_per_minute=settings.LLM_TPM,
        units_per_day=settings.LLM_RPD,
        reserve=0.0,
    )


def llm_throttle(model: str | None = None) -> Throttle:
    """Return the budget of `model`, else of the current one; it is apart from that of embeddings.

    A kind of job whose handler generates names it as its throttle and passes `batch.budget` on to `generate`: then jobs
    wait for the budget without an attempt or a thread.
    """
    return _throttle(model or current_model(), limits(), settings.LLM_TIMEOUT)


@cache
def _throttle(model: str, allowed: Limits, timeout: float) -> Throttle:
    return Throttle(_name(model), allowed, history=partial(history, model), call_deadline=timeout)


def history(model: str) -> History:
    """Return what the rows know of today and of the last minute, for a Redis that lost its memory."""
    spending = (each for each in all_kinds() if (throttle := each.throttle()) and throttle.name == _name(model))
    return history_of(PROVIDER, model, kinds=[each.name for each in spending], call_deadline=settings.LLM_TIMEOUT)


def _name(model: str) -> str:
    return f"{PROVIDER}:{model}"
