"""Fixtures of the tests of search."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as django_settings
from redis import Redis

from embeddings import query
from embeddings.kinds import GENERATE_EMBEDDING
from jobs import shared
from jobs.execute import run_lane
from tests.yellowbook.directory.conftest import values
from yellowbook.directory.models import Business
from yellowbook.search.filters import Filters
from yellowbook.search.search import Answer, search

Put = Callable[..., Business]


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    """Let no test find what another one left: neither in Redis nor in the memory of an outage."""
    client = Redis.from_url(django_settings.REDIS_URL)
    for key in client.scan_iter(f"{shared._PREFIX}*"):
        client.delete(key)
    client.close()
    shared.shared._rests_until = 0.0
    query._rests_until.clear()


@pytest.fixture
def put() -> Put:
    """Save a business and embed it."""

    def make(name: str, category: str = "Ресторан", **changes: Any) -> Business:
        business = Business(**values(name=name, category=category, **changes))
        business.save()
        embed()
        return business

    return make


def embed() -> None:
    """Work off the embedding jobs."""
    while run_lane(GENERATE_EMBEDDING):
        pass


def names(text: str, **filters: Any) -> list[str]:
    """Return the names that a search finds, the best first."""
    return [result.business.name for result in found(text, **filters).results]


def found(text: str, **filters: Any) -> Answer:
    """Search."""
    return search(text, Filters(**filters))
