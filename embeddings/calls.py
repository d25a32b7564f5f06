"""Provider calls: counted, timed, and their answers checked."""

import time
from collections.abc import Sequence

import numpy as np
import structlog
from numpy.typing import NDArray

from embeddings.providers.base import Provider, TaskType
from embeddings.usage import count_call
from embeddings.vectors import checked_vectors
from jobs.errors import BadResponse, ErrorClass, JobError

log = structlog.get_logger(__name__)


def embed_texts(texts: Sequence[str], task: TaskType, provider: Provider) -> list[NDArray[np.float32] | BadResponse]:
    """Embed up to `provider.max_batch` texts in one call.

    Returns, in the order of `texts`, a unit vector of 768 numbers each, or a `BadResponse` for a single vector that
    can't be used. Raises a `jobs.errors.JobError` when the call as a whole failed. Never call it inside a
    transaction.
    """
    started = time.monotonic()
    outcome = str(ErrorClass.SERVER)
    try:
        vectors = checked_vectors(provider.embed(texts, task), len(texts))
        outcome = "ok"
    except JobError as error:
        outcome = str(error.error_class)
        raise
    else:
        return vectors
    finally:
        seconds = time.monotonic() - started
        # A query that costs nothing is not worth a write, nor a line in the log.
        costs = provider.needs_key or task is not TaskType.QUERY
        if costs or outcome != "ok":
            took = round(seconds * 1000)
            log.info("provider_call", provider=provider.name, texts=len(texts), outcome=outcome, ms=took)
        if costs:
            count_call(provider.name, provider.model, outcome, texts=len(texts), seconds=seconds)
