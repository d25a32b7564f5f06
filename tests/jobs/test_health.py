"""`/health/live`, `/health/ready`, `/metrics`."""

import re
from typing import Any

import pytest
from django.db import connection

from jobs.actor import Actor
from jobs.enqueue import enqueue
from jobs.errors import NotFound
from jobs.kinds import Kind
from jobs.lanes import pause
from jobs.lifecycle import cancel
from jobs.models import WorkerProcess
from jobs.workers import enter_registry

from .support import claimed, end, long_ago, put

pytestmark = pytest.mark.django_db


def ready(client, status: int) -> Any:
    response = client.get("/health/ready")
    assert response.status_code == status, response.content
    return response.json()


def test_everything_there_is_ok(client) -> None:
    enter_registry(1)
    body = ready(client, 200)
    assert (body["status"], body["failed"], body["degraded"]) == ("ok", [], [])
    assert set(body["checks"].values()) == {"ok"}


def test_without_workers_it_is_degraded_since_saves_go_on(client) -> None:
    body = ready(client, 200)
    assert (body["status"], body["degraded"]) == ("degraded", ["workers"])
    assert "rundramatiq" in body["checks"]["workers"]


def test_workers_that_died_without_a_witness_are_no_workers(client) -> None:
    enter_registry(1)
    WorkerProcess.objects.update(last_heartbeat_at=long_ago())
    assert ready(client, 200)["degraded"] == ["workers"]


@pytest.mark.usefixtures("dead_redis")
def test_without_redis_it_is_degraded_since_saves_go_on(client) -> None:
    enter_registry(1)
    body = ready(client, 200)
    assert (body["status"], body["degraded"]) == ("degraded", ["redis"])
    assert "sock" not in str(body)


def test_without_a_migration_it_is_not_ready(client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'jobs'")
    body = ready(client, 503)
    assert (body["status"], body["failed"]) == ("failed", ["migrations"])
    assert "migrate" in body["checks"]["migrations"]


@pytest.mark.django_db(transaction=True)
def test_without_pgvector_it_is_not_ready(client, monkeypatch) -> None:
    """The database `postgres` of any server lacks the extension, and our tables."""
    connection.close()
    with monkeypatch.context() as elsewhere:
        elsewhere.setitem(connection.settings_dict["OPTIONS"], "pool", False)
        elsewhere.setitem(connection.settings_dict, "NAME", "postgres")
        body = ready(client, 503)
        connection.close()
    assert body["failed"] == ["migrations", "pgvector"]
    assert "CREATE EXTENSION vector" in body["checks"]["pgvector"]
    assert body["checks"]["database"] == "ok"


@pytest.mark.django_db(transaction=True)
def test_without_the_database_it_is_not_ready_and_tells_no_address(client, monkeypatch) -> None:
    connection.close()
    with monkeypatch.context() as away:
        away.setitem(connection.settings_dict["OPTIONS"], "pool", False)
        away.setitem(connection.settings_dict, "HOST", "/nonexistent/secret-directory")
        body = ready(client, 503)
        connection.close()
    assert {"database", "migrations", "pgvector"} <= set(body["failed"])
    assert "secret-directory" not in str(body)
    assert client.get("/health/live").status_code == 200


def metric(text: str, name: str, **labels: str) -> Any:
    wanted = {f'{key}="{value}"' for key, value in labels.items()}
    for found in re.finditer(rf"^{name}(?:\{{(.*)\}})? (\S+)$", text, re.MULTILINE):
        if wanted <= set((found[1] or "").split(",")):
            return float(found[2])
    return None


def test_metrics_tell_of_lanes_outcomes_and_dead_letters(client, kind: Kind) -> None:
    end(claimed(kind, "ok"), "greeted")
    end(claimed(kind, "gone"), NotFound("x"))
    claimed(kind, "running")
    put(kind, "waiting", "queued", next_attempt_at=long_ago(50))
    put(kind, "never claimed", "cancelled", result="x", finished_at=long_ago(1))
    enter_registry(1)
    text = client.get("/metrics").content.decode()
    assert metric(text, "yellowbook_jobs_waiting", kind=kind.name) == 1
    assert metric(text, "yellowbook_jobs_running", kind=kind.name) == 1
    assert metric(text, "yellowbook_jobs_oldest_waiting_seconds", kind=kind.name) >= 50
    assert metric(text, "yellowbook_lane_paused", kind=kind.name, circuit="") == 0
    assert metric(text, "yellowbook_dead_letters") == 1
    assert metric(text, "yellowbook_workers_alive") == 1
    finished = {
        status: metric(text, "yellowbook_jobs_finished_last_hour", kind=kind.name, status=status)
        for status in ("succeeded", "dead", "cancelled")
    }
    assert finished == {"succeeded": 1, "dead": 1, "cancelled": 1}
    assert metric(text, "yellowbook_jobs_waiting", kind="generate_embedding") == 0
    pause(kind.name, actor=Actor("op", "api"))
    assert metric(client.get("/metrics").content.decode(), "yellowbook_lane_paused", kind=kind.name, circuit="") == 1


def test_metrics_name_no_person(client, kind: Kind) -> None:
    """They are read without authentication."""
    cancel(enqueue(kind.name, subject="a").job_id, by="secret.person@example.mn")
    assert "secret.person" not in client.get("/metrics").content.decode()
