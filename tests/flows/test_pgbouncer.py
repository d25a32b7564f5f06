"""The whole product behind PgBouncer in transaction mode."""

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import psycopg
import pytest

from tests.flows.house import House, Houses
from tests.flows.system import System
from tests.pgbouncer import SESSIONS, needs_pgbouncer, running_pgbouncer

pytestmark = [pytest.mark.flow, needs_pgbouncer]

#: What a session may be left with: settings that PgBouncer itself keeps apart for each of its clients.
_LEFT = """
SELECT 'setting ' || name FROM pg_settings
 WHERE source = 'session'
   AND name NOT IN ('client_encoding', 'DateStyle', 'TimeZone', 'standard_conforming_strings', 'application_name')
 UNION ALL SELECT 'temporary table ' || relname FROM pg_class
            WHERE relnamespace = pg_my_temp_schema() AND relkind = 'r'
 UNION ALL SELECT 'lock ' || objid FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()
 UNION ALL SELECT 'listener ' || channel FROM pg_listening_channels() AS channel
 UNION ALL SELECT 'statement ' || name FROM pg_prepared_statements
 UNION ALL SELECT 'cursor ' || name FROM pg_cursors WHERE is_holdable
"""


class PooledHouse(House):
    """A house whose web server and workers reach the database through PgBouncer."""

    def _ways_to(self, database_url: str, stack: ExitStack) -> Mapping[str, str]:
        self.pooled_url = stack.enter_context(running_pgbouncer(database_url))
        return {"DATABASE_URL": self.pooled_url, "DATABASE_DIRECT_URL": database_url}


@pytest.fixture
def system(houses: Houses) -> Iterator[System]:
    """A system behind PgBouncer."""
    with PooledHouse(houses.template, {"EMBEDDING_PROVIDER": "local"}) as house, System(house) as system:
        yield system


def left_behind(url: str) -> set[str]:
    """Return what is left of others in the sessions that PgBouncer holds, all of which are looked at."""
    with ExitStack() as stack:
        connections = [stack.enter_context(psycopg.connect(url, prepare_threshold=None)) for _ in range(SESSIONS)]
        sessions = {connection.execute("SELECT pg_backend_pid()").fetchone() for connection in connections}
        assert len(sessions) == SESSIONS
        return {row[0] for connection in connections for row in connection.execute(_LEFT)}


def log_in(system: System, user: str, password: str) -> None:
    """Log in to the admin by its form."""
    form = system.api.http.get("/admin/login/").text
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form)
    assert token
    answer = system.api.http.post(
        "/admin/login/",
        data={"csrfmiddlewaretoken": token[1], "username": user, "password": password},
        headers={"Referer": f"{system.house.url}/admin/login/"},
    )
    assert answer.status_code == 302, answer.text


def get(system: System, path: str) -> Any:
    """Return the answer of a page that has to be there."""
    answer = system.api.http.get(path)
    assert answer.status_code == 200, (path, answer.text)
    return answer


def test_everything_works_behind_pgbouncer_and_leaves_nothing_in_its_sessions(system: System, houses: Houses) -> None:
    house = system.house
    assert isinstance(house, PooledHouse)
    (worker,) = system.workers
    house.follow_similar()

    system.api.create(name="Номин ресторан", category="Ресторан")
    system.api.create(name="Хаан буузны газар", category="Ресторан")
    system.plant(200)
    system.manage("embed_businesses", "--no-follow")
    system.until(lambda: not system.without_fresh_vector(), "all businesses have vectors")
    system.until(lambda: system.sql("SELECT FROM similarity_similarity"), "similar businesses are known")

    assert worker.leads()
    assert get(system, "/api/search?q=ресторан").json()["results"]
    log_in(system, houses.template.user, houses.template.password)
    for path in ("/admin/", "/admin/jobs/jobexecution/", "/metrics", "/health/ready", "/sitemap.xml"):
        get(system, path)
    for command in ("doctor", "check_invariants"):
        system.manage(command)

    # Whoever frees the lock has to be the leader, not another client of the session that took it.
    other = system.start_worker()
    system.kill(worker)
    system.api.create()
    system.until(other.leads, "the other worker leads")
    system.until(lambda: not system.without_fresh_vector(), "work goes on")
    assert left_behind(house.pooled_url) == set()
