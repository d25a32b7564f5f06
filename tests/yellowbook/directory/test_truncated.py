"""A text that is longer than what the model reads: its embedding says so wherever it is shown."""

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from embeddings import generate
from embeddings.kinds import GENERATE_EMBEDDING
from embeddings.models import Embedding
from jobs.execute import run_lane
from tests.embeddings.core.conftest import MODEL, FakeProvider
from yellowbook.directory.models import Business

from .conftest import MakeBusiness

pytestmark = pytest.mark.django_db

URL = "/api/yellow-books"
#: All of them within what a description may have, and over what the model reads.
LONG = {
    "English": "restaurant " * 1800,
    "Cyrillic": "ресторан " * 2000,
    "without spaces": "ө" * 20_000,
    "emoji": "👩\u200d👩\u200d👧\u200d👦" * 2800,
}
NOTE = "cut to the model's limit"


@pytest.fixture
def provider(settings, monkeypatch: pytest.MonkeyPatch) -> FakeProvider:
    """A provider whose model reads 2,048 tokens."""
    made = FakeProvider()
    settings.EMBEDDING_MODEL = MODEL
    monkeypatch.setattr(generate, "current_provider", lambda: made)
    return made


def embed(business: Business) -> Embedding:
    assert run_lane(GENERATE_EMBEDDING)
    return Embedding.objects.get(business=business)


@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
def test_a_long_text_is_embedded_as_far_as_it_is_read_and_its_embedding_says_so(
    provider: FakeProvider, visitor: APIClient, admin_client: Client, make_business: MakeBusiness, text: str
) -> None:
    business = make_business(jobs=True, description=text)

    stored = embed(business)
    shown = visitor.get(f"{URL}/{business.pk}").json()["embedding"]
    page = admin_client.get(reverse("admin:directory_business_change", args=[business.pk])).content.decode()
    listed = admin_client.get(reverse("admin:embeddings_embedding_changelist") + "?truncated__exact=1")

    assert stored.truncated
    assert len(provider.calls[0][0]) <= 2 * provider.max_tokens
    assert (shown["model"], shown["is_fresh"], shown["truncated"]) == (MODEL, True, True)
    assert "vector" not in shown
    assert NOTE in page
    assert business.name in listed.content.decode()


def test_a_short_text_is_not_marked(
    provider: FakeProvider, visitor: APIClient, admin_client: Client, make_business: MakeBusiness
) -> None:
    business = make_business(jobs=True)

    embed(business)
    page = admin_client.get(reverse("admin:directory_business_change", args=[business.pk])).content.decode()

    assert visitor.get(f"{URL}/{business.pk}").json()["embedding"]["truncated"] is False
    assert NOTE not in page


def test_an_embedding_of_an_older_text_or_of_another_model_is_told_apart(
    provider: FakeProvider, editor: APIClient, make_business: MakeBusiness
) -> None:
    business = make_business(jobs=True)
    embed(business)

    editor.patch(f"{URL}/{business.pk}", {"description": "New"})
    older = editor.get(f"{URL}/{business.pk}").json()["embedding"]
    Embedding.objects.update(model="another")

    assert older["is_fresh"] is False
    assert editor.get(f"{URL}/{business.pk}").json()["embedding"] is None
