"""Several database sessions in one test: threads with connections of their own, in an order that the test decides."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Barrier
from typing import Any

from django.db import connection, connections, transaction

#: Seconds after which something that should have happened counts as missing.
DEADLINE = 20.0


class Session:
    """One thread with its own connection; what it is given runs one after the other."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._atomic: transaction.Atomic | None = None

    def start(self, work: Callable[..., Any], *args: Any, **kwargs: Any) -> "Future[Any]":
        """Start `work` and return at once."""
        return self._thread.submit(work, *args, **kwargs)

    def do(self, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Run `work` and return its result."""
        return self.start(work, *args, **kwargs).result(DEADLINE)

    def begin(self) -> None:
        """Begin a transaction that lasts until `commit` or `rollback`."""
        self._atomic = transaction.atomic()
        self.do(self._atomic.__enter__)

    def commit(self) -> None:
        """Commit it."""
        assert self._atomic is not None
        atomic, self._atomic = self._atomic, None
        self.do(atomic.__exit__, None, None, None)

    def rollback(self) -> None:
        """Roll it back."""
        if self._atomic is not None:
            self.do(transaction.set_rollback, True)
            self.commit()

    def close(self) -> None:
        """Roll back what is open and give the connection back."""
        try:
            self.rollback()
            self.do(connections.close_all)
        finally:
            self._thread.shutdown(wait=False)


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """Run all of `works` at the same moment, each in a thread of its own; return results, and errors as values."""
    together = Barrier(len(works))

    def run(work: Callable[[], Any]) -> Any:
        try:
            together.wait(DEADLINE)
            return work()
        except Exception as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(works)) as pool:
        return [future.result(DEADLINE) for future in [pool.submit(run, work) for work in works]]


def until(condition: Callable[[], Any], what: str = "the condition") -> Any:
    """Poll until `condition` is true and return it."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        # Other threads and PostgreSQL tell nobody when they are there; DEADLINE bounds the wait.
        time.sleep(0.005)
    raise AssertionError(f"{what} did not come about")


def _blocked() -> int:
    # pg_stat_activity is frozen inside a transaction: look from outside.
    outside = connection.copy()
    try:
        with outside.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            return int(cursor.fetchone()[0])
    finally:
        outside.close()


def until_blocked(future: "Future[Any]") -> None:
    """Wait until the work behind `future` waits for a lock; it fails when the work ends without having waited."""
    until(lambda: future.done() or _blocked(), "a wait for a lock")
    assert not future.done(), f"it went on without waiting: {future.exception() or future.result()!r}"


def until_blocked_or_done(future: "Future[Any]") -> None:
    """Wait until the work behind `future` waits for a lock or has ended."""
    until(lambda: future.done() or _blocked(), "a wait for a lock, or the end")
