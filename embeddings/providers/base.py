"""The interface that every embedding provider implements."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, ClassVar

#: Length of every stored vector. Changing it means a new column, not a setting.
DIMENSIONS = 768


class TaskType(StrEnum):
    """What a text is embedded for; the names are Gemini's."""

    DOCUMENT = "RETRIEVAL_DOCUMENT"
    QUERY = "RETRIEVAL_QUERY"
    SIMILARITY = "SEMANTIC_SIMILARITY"


class Provider(ABC):
    """Turns texts into vectors, or raises one of `jobs.errors`.

    One instance lives per process, is created after the fork, and is used by many threads at once.
    """

    #: The provider's name in settings, rows and metrics: the module's name with `-` for `_`.
    name: ClassVar[str]
    #: The most texts that one call may carry.
    max_batch: ClassVar[int]
    #: The most tokens of one text that the model reads; the rest would be cut without a word.
    max_tokens: ClassVar[int]
    #: Whether it is a service that needs `GEMINI_API_KEY`, and may refuse it.
    needs_key: ClassVar[bool] = True
    #: Used when `EMBEDDING_MODEL` is not set.
    default_model: ClassVar[str]

    def __init__(self, *, model: str, timeout: float, api_key: str = "", base_url: str = "") -> None:
        self.model = model
        self.timeout = timeout
        self.api_key = api_key
        self.base_url = base_url

    @classmethod
    def similarity_floor(cls, model: str) -> float:
        """Return the similarity, 0 to 1, below which two vectors of `model` say nothing: how high it is differs."""
        return 0.3

    def close(self) -> None:  # noqa: B027
        """Close connections. The provider is not used afterwards."""

    @abstractmethod
    def embed(self, texts: Sequence[str], task: TaskType) -> Sequence[Any]:
        """Embed up to `max_batch` texts in exactly one call, within `timeout` seconds all in all.

        Returns the answer's vectors as they came, in the order of `texts`: neither counted, validated nor normalised
        (`embeddings.vectors` does that for every provider alike).

        Raises a `jobs.errors.JobError` and nothing else.
        """
