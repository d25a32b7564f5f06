"""A caller that speaks plain HTTP, to see what is really on the wire."""

from collections.abc import Callable, Generator
from typing import Any

import httpx2
import pytest

from embeddings.standin.server import StandInServer

PATH = "/v1beta/models/gemini-embedding-001"

Embed = Callable[..., httpx2.Response]


@pytest.fixture
def http(server: StandInServer) -> Generator[httpx2.Client]:
    with httpx2.Client(base_url=server.url, trust_env=False, headers={"x-goog-api-key": "a-key"}) as client:
        yield client


@pytest.fixture
def embed(http: httpx2.Client) -> Embed:
    """Send texts as one batch."""

    def send(*texts: str, **headers: str) -> httpx2.Response:
        requests: list[dict[str, Any]] = [
            {
                "model": "models/gemini-embedding-001",
                "content": {"parts": [{"text": text}]},
                "taskType": "RETRIEVAL_DOCUMENT",
                "outputDimensionality": 768,
            }
            for text in texts
        ]
        return http.post(f"{PATH}:batchEmbedContents", json={"requests": requests}, headers=headers)

    return send
