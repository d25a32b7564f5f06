"""What Google's embedding models take, and their answers where an SDK can't read them."""

from collections.abc import Sequence
from threading import Lock
from typing import Any

import numpy as np

from embeddings.google.errors import answer_of, answer_without_sdk, sample
from embeddings.google.names import checked_model
from embeddings.google.transport import Received
from embeddings.providers._known import GOOGLE_MODEL
from jobs.errors import BadResponse

#: Used when `EMBEDDING_MODEL` is not set.
DEFAULT_MODEL = GOOGLE_MODEL
#: `batchEmbedContents` refuses more.
MAX_BATCH = 100
#: Tokens of one text that `gemini-embedding-001` reads; the rest is cut without a word.
MAX_TOKENS = 2048


def checked_name(model: str) -> str:
    """Return a model's name without `models/`. Raises `ConfigurationError` for one that can't stand in an address."""
    return checked_model(model, setting="EMBEDDING_MODEL", example=DEFAULT_MODEL)


#: Held by the thread that reads an answer: a hundred vectors are 2.5 MB of Python's numbers, and 0.6 MB as an array.
_reading = Lock()


def vectors_without_sdk(received: Received, error: Exception, *, texts: int, secret: str) -> Sequence[Any]:
    """Read the vectors of a `batchEmbedContents` answer as they came, after the SDK gave up on it with `error`.

    One null or NaN makes an SDK refuse all hundred vectors, where only one text has to be embedded again. Raises
    `BadResponse`, with a sample, when there is no list of embeddings, and what `answer_without_sdk` raises.
    """
    return _vectors(answer_without_sdk(received, error, texts=texts, secret=secret), received, secret)


def vectors_of(received: Received, *, secret: str) -> Sequence[Any]:
    """Read the vectors of a good `batchEmbedContents` answer: an array where all are numbers of one length.

    Otherwise as they came. Raises `BadResponse`, with a sample, when it is no JSON or has no list of embeddings.
    """
    with _reading:
        vectors = _vectors(answer_of(received, secret=secret), received, secret)
        try:
            array = np.asarray(vectors)
        except ValueError:
            return vectors
        return array if array.ndim == 2 and array.dtype == np.float64 else vectors  # type: ignore[return-value]


def _vectors(answer: Any, received: Received, secret: str) -> list[Any]:
    embeddings = answer.get("embeddings") if isinstance(answer, dict) else None
    if not isinstance(embeddings, list):
        raise no_embeddings(received, secret=secret)
    return [entry.get("values") if isinstance(entry, dict) else entry for entry in embeddings]


def no_embeddings(received: Received, *, secret: str) -> BadResponse:
    """The error for an answer without a list of embeddings."""
    shown = sample(received.body or "", secret)
    return BadResponse("The answer has no list of embeddings.", status_code=200, sample=shown)
