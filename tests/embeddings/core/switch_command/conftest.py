"""Businesses with vectors, and a command that does not wait."""

import pytest

from embeddings import filling
from embeddings.management.commands import switch_model
from yellowbook.directory.models import Business

from ..conftest import Fakes, business, work_all


@pytest.fixture(autouse=True)
def _eager(monkeypatch: pytest.MonkeyPatch, models: Fakes) -> None:
    """Look at runs as often as can be; have probes go to the fake."""
    monkeypatch.setattr(filling, "LOOK_EVERY", 0.0)
    monkeypatch.setattr(switch_model, "try_provider", lambda provider: provider.embed(["probe"], None))


@pytest.fixture
def shops() -> list[Business]:
    """Twelve businesses with vectors by the model that serves."""
    made = [business(f"Shop {n}") for n in range(12)]
    work_all()
    return made
