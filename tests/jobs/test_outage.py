"""What is away is said once, and costs no job an attempt."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection

from jobs import database, outage
from jobs.batch import Batch
from jobs.execute import run_lane, serve
from jobs.models import Attempt, JobExecution
from jobs.outage import Outage

from .support import MakeKind, statuses, waiting


def lost(sqlstate: str | None = None) -> OperationalError:
    """Return what Django raises, with psycopg's error behind it."""
    error = OperationalError("no")
    error.__cause__ = psycopg.errors.lookup(sqlstate)("no") if sqlstate else psycopg.OperationalError("no")
    return error


def test_an_outage_is_said_once_and_its_end_once(caplog: pytest.LogCaptureFixture) -> None:
    thing = Outage("thing", "it waits")
    for _ in range(5):
        thing.trip(OSError())
    assert thing.lasts
    for _ in range(3):
        thing.heal()
    assert not thing.lasts
    assert (caplog.text.count("thing_away"), caplog.text.count("thing_back")) == (1, 1)
    thing.trip(OSError())
    assert caplog.text.count("thing_away") == 2


@pytest.mark.parametrize(
    ("sqlstate", "away"),
    [(None, True), ("57P01", True), ("57P03", True), ("53300", True), ("40P01", False), ("55P03", False)],
)
def test_a_lost_connection_is_told_from_a_refused_statement(sqlstate: str | None, away: bool) -> None:
    assert database.is_away(lost(sqlstate)) is away


@pytest.mark.django_db(transaction=True)
def test_a_database_lost_while_a_batch_is_worked_on_costs_no_attempt(make_kind: MakeKind) -> None:
    calls: list[int] = []

    def handle(batch: Batch) -> None:
        calls.append(len(batch.jobs))
        if len(calls) == 1:
            raise lost()

    kind = make_kind(handle, batch_size=5, linger=0.0)
    waiting(kind, "a", "b")
    run_lane(kind.name)
    assert statuses(kind) == {"queued": 2}
    assert not Attempt.objects.exists()
    run_lane(kind.name)
    assert statuses(kind) == {"succeeded": 2}
    assert set(JobExecution.objects.values_list("attempt", flat=True)) == {1}


@pytest.mark.django_db(transaction=True)
def test_a_deadlock_in_a_handler_is_its_failure(make_kind: MakeKind) -> None:
    def handle(batch: Batch) -> None:
        raise lost("40P01")

    kind = make_kind(handle, linger=0.0)
    waiting(kind, "a")
    run_lane(kind.name)
    assert statuses(kind) == {"retrying": 1}


@pytest.mark.django_db(transaction=True)
def test_a_turn_without_database_ends_quietly(
    make_kind: MakeKind, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise lost()

    kind = make_kind(linger=0.0)
    monkeypatch.setattr("jobs.execute.claim", away)
    for _ in range(3):
        serve(kind.name)
    assert caplog.text.count("database_away") == 1
    assert outage.database.lasts


@pytest.mark.django_db(transaction=True)
def test_a_result_is_kept_until_the_database_is_back(
    make_kind: MakeKind, cut_connections: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.execute._STORE_RETRY_DELAYS", (0.0,))
    calls: list[int] = []

    def handle(batch: Batch) -> None:
        calls.append(1)
        connection.ensure_connection()
        cut_connections()

    kind = make_kind(handle, linger=0.0)
    waiting(kind, "a")
    run_lane(kind.name)
    assert statuses(kind) == {"succeeded": 1}
    assert calls == [1]
