"""Gemini by Google's current SDK, `google-genai`."""

from collections.abc import Sequence
from typing import Any

from google.genai import errors, types

from embeddings.google.errors import error_from
from embeddings.google.sdk import connected
from embeddings.providers import _google
from embeddings.providers.base import DIMENSIONS, Provider, TaskType
from jobs.errors import JobError


class GeminiProvider(Provider):
    """One call is one `batchEmbedContents`, of up to 100 texts, each of which counts as one request of the quota."""

    name = "gemini"
    max_batch = _google.MAX_BATCH
    max_tokens = _google.MAX_TOKENS
    default_model = _google.DEFAULT_MODEL

    def __init__(self, *, model: str, timeout: float, api_key: str = "", base_url: str = "") -> None:
        """Make the SDK's client. Raises `ConfigurationError` when the key is missing, or the model's name no name."""
        super().__init__(model=model, timeout=timeout, api_key=api_key, base_url=base_url)
        self._name = _google.checked_name(model)
        self._client, self._wire = connected(timeout=timeout, api_key=api_key, base_url=base_url, reads_answers=False)

    def close(self) -> None:
        """Close connections."""
        self._wire.close()

    def embed(self, texts: Sequence[str], task: TaskType) -> Sequence[Any]:
        """Embed the texts in one call. Texts must not be blank.

        The SDK is given the requests as they go over the wire, in the place of those that it would make: of a hundred
        contents that takes it eight times as long, and it joins them into one for some models. The answer is read here:
        the SDK would take ten times as long.
        """
        options = types.HttpOptions(extra_body={"requests": [self._request(text, task) for text in texts]})
        config = types.EmbedContentConfig(http_options=options)
        with self._wire.exchange() as received:
            try:
                self._client.models.embed_content(model=self._name, contents=texts[0], config=config)
            except JobError:
                raise
            except errors.APIError as error:
                raise error_from(received, texts=len(texts), secret=self.api_key) from error
            except Exception as error:
                return _google.vectors_without_sdk(received, error, texts=len(texts), secret=self.api_key)
            return _google.vectors_of(received, secret=self.api_key)

    def _request(self, text: str, task: TaskType) -> dict[str, Any]:
        """Return an `EmbedContentRequest` of Google's REST API."""
        return {
            "model": f"models/{self._name}",
            "content": {"parts": [{"text": text}]},
            "taskType": task.value,
            "outputDimensionality": DIMENSIONS,
        }


provider = GeminiProvider
