"""Businesses in three places of meaning, and the stand-in, which gives titles as a test tells it to."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from embeddings.standin.service import StandIn
from tests.yellowbook.directory.conftest import editor, staff, visitor  # noqa: F401
from tests.yellowbook.llm.conftest import server, standin  # noqa: F401

from .support import enter

Answer = Callable[..., None]


@pytest.fixture
def directory(db: None) -> None:
    """Restaurants in two towns, hotels, and garages."""
    enter(0, 10, category="Ресторан", city="Улаанбаатар")
    enter(1, 10, category="Hotel", city="Khatgal")
    enter(2, 10, category="Автозасвар", city="Дархан")


@pytest.fixture
def answer(standin: StandIn, settings: Any) -> Answer:  # noqa: F811
    """Have the model asked for titles; call it with the titles it gives, as (Mongolian, English)."""
    settings.CURATION_TITLES = "gemini"

    def say(*given: tuple[str, str]) -> None:
        titles = [{"number": place, "title_mn": mn, "title_en": en} for place, (mn, en) in enumerate(given, 1)]
        standin.answers = [("<collections>", json.dumps({"titles": titles}))]

    return say
