"""Gemini by `google-generativeai`, the SDK that Google no longer supports, for installations that still use it.

A call of 100 texts costs about twelve times the CPU time that it costs with `google-genai`.
"""

import io
import warnings
from collections.abc import Sequence
from typing import Any

import httpx2

from embeddings.google.errors import error_from
from embeddings.google.names import BASE_URL, checked_key
from embeddings.google.transport import Wire
from embeddings.providers import _google
from embeddings.providers.base import DIMENSIONS, Provider, TaskType
from jobs.errors import ConfigurationError, JobError

try:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"\s*All support for the `google.generativeai` package", FutureWarning)
        from google.generativeai.embedding import embed_content
    import requests
    from google.ai.generativelanguage import GenerativeServiceClient
    from google.ai.generativelanguage_v1beta.services.generative_service.transports import (
        GenerativeServiceRestTransport,
    )
    from google.api_core.exceptions import GoogleAPICallError
    from google.auth.credentials import AnonymousCredentials
except ImportError as missing:
    raise ConfigurationError(
        "EMBEDDING_PROVIDER=google-generativeai needs the SDK of that name, which is not installed: "
        "pip install '.[google-generativeai]'."
    ) from missing


class GoogleGenerativeAIProvider(Provider):
    """One call is one `batchEmbedContents`, of up to 100 texts, each of which counts as one request of the quota."""

    name = "google-generativeai"
    max_batch = _google.MAX_BATCH
    max_tokens = _google.MAX_TOKENS
    default_model = _google.DEFAULT_MODEL

    def __init__(self, *, model: str, timeout: float, api_key: str = "", base_url: str = "") -> None:
        """Make the SDK's client. Raises `ConfigurationError` when the key is missing, or the model's name no name."""
        super().__init__(model=model, timeout=timeout, api_key=api_key, base_url=base_url)
        self._name = f"models/{_google.checked_name(model)}"
        self._wire = Wire(timeout=timeout, ssl_context=httpx2.create_ssl_context())
        host = (base_url or BASE_URL).rstrip("/")
        transport = _transport(host, checked_key(api_key), self._wire)
        self._client = GenerativeServiceClient(transport=transport)

    def close(self) -> None:
        """Close connections."""
        self._wire.close()

    def embed(self, texts: Sequence[str], task: TaskType) -> Sequence[Any]:
        """Embed the texts in one call. Texts must not be blank.

        `retry=None` turns off the SDK's own retries, of which there would be up to 18 behind one call.
        """
        contents: Any = list(texts)
        options: Any = {"retry": None, "timeout": self.timeout}
        with self._wire.exchange() as received:
            try:
                answer = embed_content(
                    model=self._name,
                    content=contents,
                    task_type=task.value,
                    output_dimensionality=DIMENSIONS,
                    client=self._client,
                    request_options=options,
                )
            except JobError:
                raise
            except GoogleAPICallError as error:
                raise error_from(received, texts=len(texts), secret=self.api_key) from error
            except Exception as error:
                return _google.vectors_without_sdk(received, error, texts=len(texts), secret=self.api_key)
            vectors: list[Any] = answer["embedding"]
            if not vectors:
                raise _google.no_embeddings(received, secret=self.api_key)
            return vectors


class _Adapter(requests.adapters.BaseAdapter):
    """Hands requests' requests to a `Wire`."""

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self._wire = wire

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Exchange one request for one answer; the timeout is the wire's. Raises `NetworkError`."""
        headers: Any = dict(request.headers)
        body: Any = request.body
        sent = httpx2.Request(request.method or "", request.url or "", headers=headers, content=body)
        received = self._wire.handle_request(sent)
        response = requests.Response()
        response.request, response.url = request, str(sent.url)
        response.status_code, response.reason = received.status_code, received.reason_phrase
        response.headers.update(received.headers)
        response.raw = io.BytesIO(received.content)
        return response

    def close(self) -> None:
        """Close every connection."""
        self._wire.close()


def _transport(host: str, api_key: str, wire: Wire) -> GenerativeServiceRestTransport:
    """Make the SDK's REST transport send over `wire`, take nothing from the environment and follow no redirects.

    The key goes into a header of the session and not into the SDK's credentials: it would answer a 401 by "refreshing"
    those and making the same call twice more. Anonymous ones can't be refreshed.
    """
    transport = GenerativeServiceRestTransport(host=host, credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]
    session = transport._session
    session.headers["x-goog-api-key"] = api_key
    session.trust_env = False
    session.max_redirects = 0
    for scheme in ("https://", "http://"):
        session.mount(scheme, _Adapter(wire))
    return transport


provider = GoogleGenerativeAIProvider
