"""The provider's quota: what it allows, and what was spent when Redis has forgotten."""

from dataclasses import replace
from functools import cache, partial

from django.conf import settings

from embeddings.calls import embed_texts
from embeddings.current import current_model, current_provider
from embeddings.prepare import prepare
from embeddings.providers.base import Provider, TaskType
from embeddings.usage import history_of
from jobs.budget import Budget, Cost
from jobs.errors import RateLimited
from jobs.kinds import all_kinds
from jobs.redis import IMPATIENT, connect
from jobs.throttle import History, Limits, Throttle

#: The text of a probe: as cheap as a call can be.
PROBE_TEXT = "yellow book"


def limits() -> Limits:
    """Return the limits that the settings name, of which jobs leave a part to search queries."""
    return Limits(
        units_per_minute=settings.EMBEDDING_RPM,
        tokens_per_minute=settings.EMBEDDING_TPM,
        units_per_day=settings.EMBEDDING_RPD,
        reserve=settings.EMBEDDING_RESERVE,
        withheld=settings.EMBEDDING_QUERY_RESERVE,
    )


def query_limits() -> Limits:
    """Return what search queries may spend: all that the settings name."""
    return replace(limits(), reserve=0.0, withheld=0.0)


def embedding_throttle(model: str | None = None) -> Throttle:
    """Return the budget that all embedding jobs share: that of `model`, else of the one that serves.

    A provider's quotas are the model's own. Texts that are sent to another model, to fill it in, are paid for from the
    budget of the serving one all the same: so there is never more sent to either than it allows.
    """
    return _throttle(settings.EMBEDDING_PROVIDER, model or current_model())


@cache
def _throttle(provider: str, model: str) -> Throttle:
    return Throttle(
        f"{provider}:{model}",
        limits(),
        history=partial(history, model),
        call_deadline=settings.EMBEDDING_TIMEOUT,
    )


def impatient_throttle() -> Throttle:
    """Return the budget of the model that serves, for somebody who can't wait long for Redis."""
    return _impatient(embedding_throttle())


@cache
def _impatient(shared: Throttle) -> Throttle:
    return Throttle(
        shared.name,
        shared.limits,
        history=history,
        call_deadline=settings.EMBEDDING_TIMEOUT,
        client=connect(timeout=IMPATIENT),
    )


def query_throttle(model: str) -> Throttle:
    """Return the budget of a model as search queries see it: none of it is kept from them."""
    return _for_queries(settings.EMBEDDING_PROVIDER, model)


@cache
def _for_queries(provider: str, model: str) -> Throttle:
    return Throttle(
        f"{provider}:{model}",
        query_limits(),
        history=partial(history, model),
        call_deadline=settings.SEARCH_TIMEOUT,
        client=connect(timeout=IMPATIENT),
    )


def history(model: str | None = None) -> History:
    """Return what the rows know of today and of the last minute, for a Redis that lost its memory."""
    return history_of(
        settings.EMBEDDING_PROVIDER,
        model or current_model(),
        kinds=[kind.name for kind in all_kinds() if kind.throttle is embedding_throttle],
        call_deadline=settings.EMBEDDING_TIMEOUT,
    )


def probe() -> None:
    """Embed one short text, to see whether the provider answers; raises the provider's `JobError` when not.

    It is paid for like any other text: without budget there is no call, and `RateLimited` is raised.
    """
    try_provider(current_provider())


def try_provider(provider: Provider) -> None:
    """Do what `probe` does, with any model of the provider."""
    if not provider.needs_key:
        return
    prepared = prepare(PROBE_TEXT, max_tokens=provider.max_tokens)
    budget = Budget.of(embedding_throttle(), 1)
    if not budget.take([Cost(prepared.tokens, urgent=True)]):
        raise RateLimited(f"There is no budget for a probe for another {budget.short_for:.0f} s.")
    try:
        embed_texts([prepared.text], TaskType.DOCUMENT, provider)
    finally:
        budget.done()
