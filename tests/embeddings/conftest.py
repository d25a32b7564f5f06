"""The stand-in in a thread of the test process, and both SDKs pointed at it."""

from collections.abc import Callable, Generator
from contextlib import ExitStack

import pytest

from embeddings.providers import provider_class
from embeddings.providers.base import Provider
from embeddings.standin.server import StandInServer
from embeddings.standin.service import StandIn

#: Looks like a key, so that it can be searched for where it must not be.
KEY = "AIzaSyA-key-of-the-tests-0123456789abcd"
MODEL = "gemini-embedding-001"

MakeProvider = Callable[..., Provider]


@pytest.fixture
def server() -> Generator[StandInServer]:
    with StandInServer(StandIn(trickle=0.1)) as server:
        yield server


@pytest.fixture
def standin(server: StandInServer) -> StandIn:
    return server.standin


@pytest.fixture(params=["gemini", "google-generativeai"])
def make_provider(request: pytest.FixtureRequest, server: StandInServer) -> Generator[MakeProvider]:
    """Make providers of each SDK in turn; they are closed at the end."""
    with ExitStack() as stack:

        def make(
            *, timeout: float = 30, base_url: str = server.url, api_key: str = KEY, model: str = MODEL
        ) -> Provider:
            made = provider_class(request.param)(model=model, timeout=timeout, api_key=api_key, base_url=base_url)
            stack.callback(made.close)
            return made

        yield make


@pytest.fixture
def provider(make_provider: MakeProvider) -> Provider:
    return make_provider()
