"""What is done to many rows in the background, and the worker that does it is killed."""

import psycopg
import pytest

from tests.flows.conftest import Start
from tests.flows.standin import StandIn
from tests.flows.system import System
from tests.flows.trouble import ask

pytestmark = pytest.mark.flow

#: Dead letters: three batches, and some.
LETTERS = 1_600
#: In the batch during which the worker is killed.
IN_THE_THIRD_BATCH = 1_250

_DEAD = """
INSERT INTO jobs_jobexecution (id, kind, subject, operation, status, metadata, error_class, error, created_at,
       next_attempt_at, started_at, finished_at)
SELECT gen_random_uuid(), 'generate_embedding', id::text, 'create', 'dead', '{}', 'server', 'the provider was away',
       now(), now(), now(), now()
  FROM directory_business
"""
_LETTERS = """
INSERT INTO jobs_deadletter (job_id, kind, subject, payload, error_class, failure_reason, error_details, attempts,
       enqueued_at, last_attempt_at, fingerprint)
SELECT id, kind, subject, '{}', error_class, error, '{}', 4, created_at, started_at, 'away'
  FROM jobs_jobexecution
"""


def bury(system: System, number: int) -> None:
    """Plant dead letters of as many businesses."""
    system.plant(number)
    system.sql(_DEAD)
    system.sql(_LETTERS)


def test_a_worker_killed_in_the_middle_of_a_batch_leaves_no_row_undone_and_none_done_twice(
    start: Start, standin: StandIn
) -> None:
    system = start(standin)
    bury(system, LETTERS)
    (killed,) = system.workers
    with psycopg.connect(system.house.environment["DATABASE_URL"]) as other:
        # Somebody else holds one of its rows: there it stands, with changes that are not committed.
        other.execute(
            "SELECT FROM jobs_jobexecution WHERE id = (SELECT job_id FROM jobs_deadletter ORDER BY id DESC"
            " OFFSET %s LIMIT 1) FOR UPDATE",
            [IN_THE_THIRD_BATCH],
        )
        asked = {"error_class": "server", "per_second": 10_000}
        bulk = ask(system.api, "POST", "/api/admin/dlq/retry", asked, expected=202)
        path = f"/api/admin/bulk-actions/{bulk['bulk_action_id']}"
        blocked = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        system.until(lambda: system.sql(blocked), "it waits for the row")
        assert ask(system.api, "GET", path)["done"] == 1_000

        system.kill(killed)
    assert ask(system.api, "GET", path)["done"] == 1_000
    system.start_worker()
    system.until(lambda: ask(system.api, "GET", path)["state"] == "done", "another worker has ended it")

    shown = ask(system.api, "GET", path)
    assert (shown["total"], shown["done"], shown["skipped"]) == (LETTERS, LETTERS, 0)
    assert system.sql("SELECT resolution, count(*) FROM jobs_deadletter GROUP BY resolution") == [("retried", LETTERS)]
    said = "SELECT count(*) FROM django_admin_log WHERE object_id = %s AND change_message LIKE '%%done: %%'"
    assert system.sql(said, bulk["bulk_action_id"]) == [(1,)]
    # The jobs of the businesses, and the one that did the work.
    system.await_success(LETTERS + 1)
    assert system.without_fresh_vector() == 0
    retried = "SELECT DISTINCT operation, attempt FROM jobs_jobexecution WHERE kind = 'generate_embedding'"
    assert system.sql(retried) == [("retry", 1)]
