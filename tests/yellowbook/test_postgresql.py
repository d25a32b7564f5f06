"""The pool of connections after a restart of the server."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection

from tests.concurrency import at_once

#: More than psycopg_pool's own check passes over in the 5 seconds that a thread waits for a connection.
IDLE = 8

pytestmark = pytest.mark.django_db(transaction=True)


def backend() -> int:
    """Return the process that serves this thread's connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid() FROM pg_sleep(0.2)")
        return int(cursor.fetchone()[0])


@pytest.fixture
def idle() -> Iterator[set[int]]:
    """The processes behind a pool of idle connections."""
    pooled: Any = connection
    connection.close()
    pooled.close_pool()
    yield set(at_once(*[backend] * IDLE))
    connection.close()
    pooled.close_pool()


def cut(pids: set[int]) -> None:
    """End the processes, as a restart of the server does, from outside the pool."""
    parameters = {**connection.get_connection_params(), "autocommit": True}
    with psycopg.connect(**parameters) as outside:
        outside.execute("SELECT pg_terminate_backend(pid, 5000) FROM unnest(%s::int[]) AS pid", [sorted(pids)])


def test_dead_connections_are_passed_over_without_a_pause(idle: set[int]) -> None:
    assert len(idle) == IDLE
    cut(idle)
    assert backend() not in idle


def test_a_living_connection_is_used_again(idle: set[int]) -> None:
    assert backend() in idle


def test_a_server_that_hangs_up_on_everyone_is_said_to(idle: set[int], monkeypatch: pytest.MonkeyPatch) -> None:
    def hang_up(connection: Any) -> None:
        connection.close()
        raise psycopg.OperationalError("the connection is closed")

    monkeypatch.setattr("psycopg_pool.ConnectionPool.check_connection", staticmethod(hang_up))
    with pytest.raises(OperationalError, match="hangs up on every connection"):
        backend()
