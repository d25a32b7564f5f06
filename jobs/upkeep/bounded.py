"""Statements that may not take for ever."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def bounded(seconds: float) -> Iterator[None]:
    """Run the block in a transaction in which PostgreSQL breaks off each statement after `seconds`."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [f"{seconds * 1000:.0f}"])
        yield
