"""A database that does not take what is asked is nobody's mistake: 503, and nothing is changed."""

from collections.abc import Iterator

import pytest
from django.db import DatabaseError, connection
from django.test import Client

from jobs import selectors
from yellowbook.directory.models import Business

pytestmark = pytest.mark.django_db(transaction=True)


def hang_up(*_: object) -> None:
    """Have PostgreSQL end the connection in the middle of a view."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")


def break_off(*_: object) -> None:
    raise DatabaseError("a defect of ours, without a word from PostgreSQL")


@pytest.fixture(autouse=True)
def _fresh_connection(transactional_db: None) -> Iterator[None]:
    """Leave no broken connection to the next test; between requests, Django's own signal closes one."""
    yield
    connection.close()


@pytest.fixture
def visitor(admin_client: Client) -> Client:
    admin_client.raise_request_exception = False
    return admin_client


@pytest.fixture
def read_only() -> Iterator[None]:
    """Have the connection be as one to a replica."""
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
    yield
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE")


def test_a_connection_that_is_lost(visitor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selectors, "lanes", hang_up)
    answer = visitor.get("/api/admin/lanes")
    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "unavailable"
    assert int(answer["Retry-After"]) > 0
    monkeypatch.undo()
    connection.close()
    assert visitor.get("/api/admin/lanes").status_code == 200


def test_a_page_says_so_in_its_own_words(visitor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("yellowbook.search.pages.views.page_of", hang_up)
    answer = visitor.get("/search?q=hotel")
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "Out of service for a moment" in answer.content.decode()


def test_a_write_at_a_replica(visitor: Client, read_only: None) -> None:
    written = {"name": "A", "category": "B", "address": "C"}
    answer = visitor.post("/api/yellow-books", written, "application/json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")
    assert not Business.objects.exists()


def test_a_defect_is_still_one(visitor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selectors, "lanes", break_off)
    answer = visitor.get("/api/admin/lanes")
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "server_error")
