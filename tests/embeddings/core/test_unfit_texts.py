"""Texts that no model accepts are refused before anything is sent."""

from collections.abc import Collection
from uuid import UUID

import pytest
from django.db import connection

from embeddings import generate
from embeddings.source import SourceText, text_source
from jobs.execute import run_lane
from jobs.models import DeadLetter, Lane
from yellowbook.directory.models import Business
from yellowbook.directory.text import text_hash

from .conftest import FakeProvider, business, ends, job_of, sent, vector, work

pytestmark = pytest.mark.django_db(transaction=True)

#: Texts by what is said of them.
UNFIT = [
    ("", "There is no text to embed"),
    (" \n\t\u00a0\u3000\n", "There is no text to embed"),
    ("\u2028\u2029\x0b\x0c\x1c\x85", "There is no text to embed"),
    ("Хатгал \ud83c кэмп", "half a character"),
    ("\udfff", "half a character"),
    ("Хатгал\x00кэмп", "NUL byte"),
    ("\x00", "NUL byte"),
]


class Misread:
    """The texts of the businesses, but for one, whose text is what no database would store."""

    def __init__(self, business_id: UUID, text: str) -> None:
        self._business_id = business_id
        self._text = text

    def texts(self, ids: Collection[UUID]) -> dict[UUID, SourceText]:
        """Return the texts."""
        found = text_source().texts(ids)
        if self._business_id in found:
            found[self._business_id] = SourceText(self._text, text_hash("another"), "Misread")
        return found


def store_separators() -> None:
    """Give all businesses a text of what PostgreSQL takes for text and Python for white space, past the models."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE directory_business SET name = chr(28), category = chr(29), address = chr(30)")


def check_refused(shop: Business, reason: str) -> None:
    """Check that a business's job is dead after one try, and what its dead letter says."""
    assert ends(shop) == [("dead", "invalid_input")]
    letter = DeadLetter.objects.get(subject=str(shop.pk))
    assert (letter.error_class, letter.attempts, letter.error_details["status_code"]) == ("invalid_input", 1, None)
    assert reason in letter.failure_reason
    assert job_of(shop).attempt == 1
    assert vector(shop) is None


@pytest.mark.parametrize(("text", "reason"), UNFIT, ids=[ascii(text) for text, _ in UNFIT])
def test_an_unfit_text_is_invalid_without_a_call(provider: FakeProvider, monkeypatch, text: str, reason: str) -> None:
    shop = business()
    monkeypatch.setattr(generate, "text_source", lambda: Misread(shop.pk, text))

    work()

    check_refused(shop, reason)
    assert provider.calls == []


@pytest.mark.parametrize(("text", "reason"), UNFIT, ids=[ascii(text) for text, _ in UNFIT])
def test_the_neighbours_of_an_unfit_text_are_embedded_in_one_call(
    provider: FakeProvider, monkeypatch, text: str, reason: str
) -> None:
    before, shop, after = business("A"), business("B"), business("C")
    monkeypatch.setattr(generate, "text_source", lambda: Misread(shop.pk, text))

    work()

    check_refused(shop, reason)
    assert ends(before, after) == [("succeeded", "embedded")] * 2
    assert provider.calls == [[sent(before), sent(after)]]


def test_a_blank_text_that_a_database_does_store_is_invalid_without_a_call(provider: FakeProvider) -> None:
    shop = business()
    store_separators()

    work()

    check_refused(shop, "There is no text to embed")
    assert provider.calls == []


def test_unfit_texts_never_pause_their_lane(provider: FakeProvider, monkeypatch) -> None:
    monkeypatch.setattr("jobs.lifecycle.circuit.MAX_REJECTIONS", 2)
    shops = [business(name) for name in "ABCDE"]
    store_separators()

    while run_lane("generate_embedding"):
        pass

    assert ends(*shops) == [("dead", "invalid_input")] * 5
    assert not Lane.objects.filter(paused_at__isnull=False).exists()
    assert provider.calls == []
