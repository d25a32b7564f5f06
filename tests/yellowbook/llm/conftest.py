"""The stand-in answers prompts, with a key and without limits unless a test sets some."""

from collections.abc import Callable, Generator
from typing import Any

import pytest
from redis import Redis

from embeddings.standin.log import CallLog
from embeddings.standin.server import StandInServer
from embeddings.standin.service import StandIn
from tests.embeddings.conftest import KEY
from tests.jobs.conftest import REDIS_URL
from yellowbook.llm import calls
from yellowbook.llm.quota import _throttle


@pytest.fixture
def server() -> Generator[StandInServer]:
    with StandInServer(StandIn(trickle=0.1, log=CallLog(with_texts=True))) as server:
        yield server


@pytest.fixture
def standin(server: StandInServer, settings: Any) -> Generator[StandIn]:
    """The stand-in, which the settings name."""
    settings.GEMINI_API_KEY, settings.GEMINI_BASE_URL = KEY, server.url
    settings.LLM_RPM = settings.LLM_TPM = settings.LLM_RPD = 0
    yield server.standin
    with calls._making:
        calls._made.cache_clear()


@pytest.fixture
def limited(standin: StandIn, settings: Any) -> Generator[Callable[..., None]]:
    """Set limits, of a budget that no test has used."""
    client = Redis.from_url(REDIS_URL)

    def use(*, rpm: int = 0, tpm: int = 0, rpd: int = 0) -> None:
        settings.LLM_RPM, settings.LLM_TPM, settings.LLM_RPD = rpm, tpm, rpd
        forget(client)

    yield use
    forget(client)
    client.close()
    _throttle.cache_clear()


def forget(client: Redis) -> None:
    """Have Redis forget what prompts spent."""
    for key in client.scan_iter("throttle:{gemini:*"):
        client.delete(key)
