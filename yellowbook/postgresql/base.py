"""The database backend. Django asks for it by the name of this module."""

from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg_pool import ConnectionPool


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's own, but for dead connections in the pool, which it passes over without a pause.

    When PostgreSQL restarts, every idle connection of a pool dies at once. With a check of its own psycopg_pool waits
    1, 2, 4 ... seconds after each dead one it meets (`psycopg_pool.base.AttemptWithBackoff`), so that a thread meets
    three of them before its 5 seconds are over, and a process with many is of no use for a minute. Here a dead
    connection is given back, which has the pool make a new one, and the next is tried.
    """

    def get_new_connection(self, conn_params: dict[str, Any]) -> psycopg.Connection[Any]:
        """Return a connection that answers. Raises `psycopg.OperationalError` when there is none to be had."""
        pool = self.pool
        dead: psycopg.OperationalError | None = None
        for _ in range(pool.max_size + 1 if pool else 1):
            connection: psycopg.Connection[Any] = super().get_new_connection(conn_params)
            if not pool:
                return connection
            try:
                ConnectionPool.check_connection(connection)
            except psycopg.OperationalError as error:
                pool.putconn(connection)
                dead = error
            else:
                return connection
        raise psycopg.OperationalError("the server hangs up on every connection") from dead
