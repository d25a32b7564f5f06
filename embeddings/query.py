"""Vectors of search queries: made once for all who ask the same, within a budget that bulk work can't use up.

A query can't wait. Whatever keeps its vector from being made (no budget, a provider that is away) is answered with
None at once, and the search goes on without it. Without Redis nothing is shared between processes, and each makes it.
"""

import threading
import time
from concurrent.futures import Future
from hashlib import sha256
from typing import Final

import numpy as np
import structlog
from django.conf import settings
from numpy.typing import NDArray

from embeddings.calls import embed_texts
from embeddings.current import current_model, provider_for
from embeddings.prepare import prepare
from embeddings.providers import provider_class
from embeddings.providers.base import DIMENSIONS, Provider, TaskType
from embeddings.quota import query_throttle
from jobs.budget import Budget, Cost
from jobs.clean import clean
from jobs.errors import BadResponse, ErrorClass, JobError
from jobs.shared import shared

log = structlog.get_logger(__name__)

Vector = NDArray[np.float32]

#: Seconds for which a query's vector is kept; it depends on nothing but the text and the model.
KEPT_FOR: Final = 86_400
#: Seconds between two looks for the vector that another process is making.
LOOK_EVERY: Final = 0.02
#: Seconds without a call after a failure: few for one that may pass, more for one that somebody has to mend.
SHORT_REST, LONG_REST = 5.0, 60.0
_LASTING: Final = frozenset({ErrorClass.AUTH, ErrorClass.CONFIGURATION, ErrorClass.QUOTA_EXHAUSTED})

_rests_until: dict[str, float] = {}
_under_way: dict[str, "Future[Vector | None]"] = {}
_lock = threading.Lock()


def embed_query(text: str, *, model: str | None = None) -> Vector | None:
    """Return the unit vector, of shape (768,), of a query by `model`, else by the one that serves; None: none for now.

    Takes `SEARCH_TIMEOUT` seconds at most. Texts that differ are other queries: bring them to one form first.
    """
    model = model or current_model()
    key = f"query:{model}:{sha256(text.encode(errors='replace')).hexdigest()}"
    with _lock:
        found = _under_way.get(key)
        if found is None:
            mine = _under_way[key] = Future()
    if found is not None:
        return found.result()
    vector: Vector | None = None
    try:
        vector = _shared(key, text, model) if _asks_somebody() else _made(text, model)
    finally:
        with _lock:
            del _under_way[key]
        mine.set_result(vector)
    return vector


def _asks_somebody() -> bool:
    """Tell whether a vector costs a call; one that does not is made before Redis could answer."""
    return provider_class(settings.EMBEDDING_PROVIDER).needs_key


def _shared(key: str, text: str, model: str) -> Vector | None:
    vector = _kept(key)
    return _made_by_one(key, text, model) if vector is None else vector


def _kept(key: str) -> Vector | None:
    found = shared.get(key)
    if found is None or len(found) != DIMENSIONS * 4:
        return None
    return np.frombuffer(found, dtype="<f4")


def _made_by_one(key: str, text: str, model: str) -> Vector | None:
    """Make the vector, or wait for the process that does; one that dies over it is waited for no longer than a call."""
    until = time.monotonic() + settings.SEARCH_TIMEOUT
    while not shared.claim(f"{key}:claim", seconds=settings.SEARCH_TIMEOUT):
        if time.monotonic() > until:
            return None
        # A search is answered by its thread anyway; the wait is bounded by `until`.
        time.sleep(LOOK_EVERY)
        vector = _kept(key)
        if vector is not None:
            return vector
    try:
        vector = _made(text, model)
        if vector is not None:
            shared.put(key, vector.astype("<f4").tobytes(), seconds=KEPT_FOR)
        return vector
    finally:
        shared.release(f"{key}:claim")


def _made(text: str, model: str) -> Vector | None:
    """Make one call, unless there is no budget for it or the last one failed a moment ago."""
    if time.monotonic() < _rests_until.get(model, 0.0):
        return None
    try:
        provider = _provider(model)
        prepared = prepare(text, max_tokens=provider.max_tokens)
        budget = Budget.of(query_throttle(model), 1)
        if not budget.take([Cost(prepared.tokens, urgent=True)]):
            log.info("query_without_budget", wait=round(budget.short_for, 1))
            return None
        try:
            (answer,) = embed_texts([prepared.text], TaskType.QUERY, provider)
        finally:
            budget.done()
        if isinstance(answer, BadResponse):
            raise answer
    except JobError as error:
        if error.error_class is not ErrorClass.INVALID_INPUT:
            _rests_until[model] = time.monotonic() + (LONG_REST if error.error_class in _LASTING else SHORT_REST)
            log.warning("query_not_embedded", error_class=str(error.error_class), error=clean(str(error)))
        return None
    return answer


def _provider(model: str) -> Provider:
    """Return the provider with the patience of somebody who waits for an answer."""
    return provider_for(model, timeout=min(settings.SEARCH_TIMEOUT, settings.EMBEDDING_TIMEOUT))
