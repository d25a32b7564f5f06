"""What the tests of upkeep share."""

from collections.abc import Callable

import pytest
from django.db import connection

from jobs.upkeep import audit
from jobs.upkeep.audit import Finding, Invariant


@pytest.fixture
def declared(monkeypatch: pytest.MonkeyPatch) -> dict[str, Invariant]:
    """An installation that declares no invariants yet."""
    known: dict[str, Invariant] = {}
    monkeypatch.setattr(audit, "_invariants", known)
    return known


@pytest.fixture
def without() -> Callable[..., None]:
    """Drop constraints and indexes for the length of a test: what they refuse can then be written."""

    def drop(*names: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            for name in names:
                cursor.execute("SELECT conrelid::regclass::text FROM pg_constraint WHERE conname LIKE %s", [name])
                row = cursor.fetchone()
                if row is None:
                    cursor.execute(f"DROP INDEX {name}")
                    continue
                cursor.execute("SELECT conname FROM pg_constraint WHERE conname LIKE %s", [name])
                cursor.execute(f"ALTER TABLE {row[0]} DROP CONSTRAINT {cursor.fetchone()[0]}")

    return drop


def invariant(name: str = "sample", find: Callable[[int], Finding] = lambda limit: Finding(), **more) -> Invariant:
    """Return an invariant."""
    return Invariant(name, f"{name} holds.", find, "Mend it.", **more)
