"""PostgreSQL restarted, crashed, and connections cut where nobody knows whether the commit went through."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from tests.flows.conftest import SYSTEMS
from tests.flows.database import Template
from tests.flows.faults.nursery import Nursery
from tests.flows.faults.stage import Stage
from tests.flows.house import House, Houses
from tests.flows.trouble import Google
from yellowbook.local.binaries import find_postgres
from yellowbook.local.options import ROOT
from yellowbook.local.postgres import NAME, SUPERUSER
from yellowbook.local.process import Child, start
from yellowbook.local.throwaway import throwaway_servers

pytestmark = [pytest.mark.flow, pytest.mark.fault]

#: Has the commits of claims and outcomes last a while before they take effect.
SLOW_COMMITS = """
CREATE FUNCTION pg_temp_slowly() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.4); RETURN NULL; END';
CREATE CONSTRAINT TRIGGER slowly AFTER INSERT OR DELETE ON jobs_lease DEFERRABLE INITIALLY DEFERRED
   FOR EACH ROW EXECUTE FUNCTION pg_temp_slowly();
"""
#: Cuts one connection in the middle of such a commit.
CUT_A_COMMIT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
 WHERE datname = current_database() AND query = 'COMMIT' AND wait_event = 'PgSleep' LIMIT 1
"""
#: Cuts connections whose commit has taken effect, and which wait for a standby server that there is not.
CUT_COMMITTED = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
#: Cuts every connection of everybody else.
CUT_ALL = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
#: Has every business embedded.
ENQUEUE = """
INSERT INTO jobs_jobexecution (id, kind, subject, operation)
SELECT gen_random_uuid(), 'generate_embedding', id::text, 'bulk' FROM directory_business
"""
#: Connections to cut, one after another.
CUTS = 8


@pytest.mark.timeout(240)
def test_connections_cut_in_reads_and_in_the_middle_of_commits_cost_no_attempt_and_no_second_call(stage: Stage) -> None:
    stage.google.take(0.2)
    reader = stage.saboteur("reading", "CUT")
    stage.api.bulk(stage.plant(200))
    stage.until(lambda: reader.struck, "a connection is cut while a worker reads")
    stage.hire()
    stage.hire()
    stage.until(lambda: stage.jobs()["succeeded"], "the run has begun")

    stage.sql(SLOW_COMMITS)
    for _ in range(CUTS):
        stage.until(lambda: stage.sql(CUT_A_COMMIT), "a connection is cut in the middle of a commit")
    stage.sql("DROP FUNCTION pg_temp_slowly CASCADE")
    stage.sql(CUT_ALL)

    stage.assert_nothing_lost(in_flight=0)
    assert stage.sql("SELECT DISTINCT status, attempt, deliveries FROM jobs_jobexecution") == [("succeeded", 1, 0)]


class WithoutWeb(House):
    """A house whose web server does nothing: nobody asks for it, and it takes long to start."""

    def _serve(self, port: int) -> Child:
        command = [sys.executable, "-c", "import signal; signal.pause()"]
        return start("No web", command, log=self.logs / "web.log", environment=self.environment, directory=ROOT)

    def await_web(self) -> None:
        """Wait for nothing."""


def copy(template: Template, target: str) -> None:
    """Copy the flows' template to the same database of another server; `target` names it and its superuser."""
    programs = find_postgres()
    source = psycopg.conninfo.make_conninfo(template.server_url, dbname=template.name)
    dumped = subprocess.run([programs.path("pg_dump"), source], capture_output=True, check=True)
    restore = [str(programs.path("psql")), target, "--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null"]
    subprocess.run(restore, input=dumped.stdout, capture_output=True, check=True)


class Postgres:
    """A PostgreSQL of the flow's own, with a system on it."""

    def __init__(self, stack: ExitStack, template: Template, nursery: Nursery, google: Google, directory: Path) -> None:
        self._servers = stack.enter_context(throwaway_servers(redis_url="unix:///of/the/house"))
        url = self._servers.database_url
        self._superuser = psycopg.conninfo.make_conninfo(url, user=SUPERUSER)
        copy(template, self._superuser)
        house = stack.enter_context(WithoutWeb(replace(template, server_url=url, name=NAME), google.settings))
        self.stage = stack.enter_context(Stage(house, nursery, google, directory))

    def sql(self, statement: str) -> int:
        """Run a statement as superuser in the system's database; return how many rows there were."""
        with psycopg.connect(self._superuser, dbname=self.stage.database, autocommit=True) as connection:
            return connection.execute(statement.encode()).rowcount

    def restart(self, *signals: signal.Signals) -> None:
        """End the server by a signal and start it again."""
        ((server, child),) = self._servers.children.items()
        child.stop(*signals, grace=30)
        server.wait_ready(self._servers.restart(server))
        self.stage.house.reconnect()


@pytest.fixture
def postgres(
    houses: Houses, nursery: Nursery, google: Google, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Postgres]:
    with ExitStack() as stack:
        # The sessions that were to drop the databases are gone, and so is the whole server in the end.
        stack.enter_context(suppress(psycopg.OperationalError))
        postgres = Postgres(stack, houses.template, nursery, google, tmp_path)
        request.node.stash.setdefault(SYSTEMS, []).append(postgres.stage)
        yield postgres


@pytest.mark.timeout(300)
def test_a_restart_a_crash_and_commits_that_nobody_heard_of_lose_nothing(postgres: Postgres) -> None:
    stage = postgres.stage
    stage.google.take(0.4)
    # Else the crash could take back what was committed in the last moments: the server is set up for speed.
    postgres.sql(f"ALTER ROLE {NAME} SET synchronous_commit = on")
    # A claim that was committed and never heard of is taken back when its lease ends.
    stage.hire(JOB_LEASE="20")
    stage.hire(JOB_LEASE="20")
    stage.plant(300)
    stage.sql(ENQUEUE)
    stage.until(lambda: stage.jobs()["succeeded"], "the run has begun")

    postgres.restart(signal.SIGINT)
    done = stage.jobs()["succeeded"]
    stage.until(lambda: stage.jobs()["succeeded"] > done, "work goes on")

    postgres.sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
    postgres.sql("SELECT pg_reload_conf()")
    for _ in range(CUTS):
        stage.until(lambda: postgres.sql(CUT_COMMITTED), "connections are cut after their commit")
    postgres.sql("ALTER SYSTEM RESET synchronous_standby_names")
    postgres.sql("SELECT pg_reload_conf()")
    stage.until(lambda: stage.jobs()["succeeded"] > done, "work goes on")

    in_flight = stage.sent()
    postgres.restart(signal.SIGQUIT)

    stage.assert_nothing_lost(in_flight=in_flight)
    assert stage.sql("SELECT DISTINCT status, attempt FROM jobs_jobexecution") == [("succeeded", 1)]
