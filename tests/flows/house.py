"""What the flows of one provider share: a database, Valkey, the web server and a worker, each started once."""

import os
import shutil
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any
from unittest import mock

import psycopg
import redis
from psycopg import sql

from tests.flows.api import Api
from tests.flows.database import Template, copied_database
from tests.flows.waiting import until
from tests.flows.worker import Worker
from yellowbook.fleet.environment import clean_environment
from yellowbook.local.options import ROOT, Options
from yellowbook.local.port import HOST, ReservedPort
from yellowbook.local.process import Child, log_tail, start
from yellowbook.local.programs import Programs
from yellowbook.local.servers import LOG_DIRECTORY
from yellowbook.local.throwaway import throwaway_servers

#: Seconds between heartbeats; a worker that has not beaten for 3 times as long is taken for lost.
HEARTBEAT = "2"


class House:
    """A context manager; `settings` are those of the web server and of everything else that runs in it.

    What was started is stopped at the end, by its pid, whatever happened meanwhile.
    """

    def __init__(self, template: Template, settings: Mapping[str, str]) -> None:
        self._template = template
        self._settings = settings
        self._stack = ExitStack()
        self._numbers = count(1)
        #: The worker that stays from flow to flow; None when the last one had no use for it, or has killed it.
        self.resident: Worker | None = None

    def __enter__(self) -> "House":
        with ExitStack() as stack:
            self._start(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _start(self, stack: ExitStack) -> None:
        url = stack.enter_context(copied_database(self._template))
        self._servers = stack.enter_context(throwaway_servers(database_url=url))
        self.logs = self._servers.logs
        (self._servers.var_dir / "static").symlink_to(self._template.static)
        self._sql = stack.enter_context(psycopg.connect(url, autocommit=True))
        self.environment = {
            **clean_environment(),
            "VAR_DIR": str(self._servers.var_dir),
            "DATABASE_URL": url,
            "REDIS_URL": self._servers.redis_url,
            "WORKER_HEARTBEAT": HEARTBEAT,
            # Flows that are about it switch it on.
            "ENRICHMENT": "off",
            # Flows count jobs: those of the day's collections come when a flow asks for them, not at two o'clock.
            "CURATION_AT": f"{(datetime.now(UTC).hour + 12) % 24:02}:00",
            **self._settings,
            **self._ways_to(url, stack),
        }
        port = ReservedPort()
        stack.callback(port.release)
        self._web = web = self._serve(port.number)
        stack.callback(web.stop, signal.SIGTERM, grace=5)
        stack.callback(self.dismiss)
        self.url = f"http://{HOST}:{port.number}"
        self.api = Api(self.url, self._template.token)
        stack.callback(self.api.http.close)

    def _ways_to(self, database_url: str, stack: ExitStack) -> Mapping[str, str]:
        """Return settings that depend on where the database is; what is started for them ends with the stack."""
        return {}

    def _serve(self, port: int) -> Child:
        """Start the web server with the command line that `make run` uses."""
        options = Options(
            var_dir=self._servers.var_dir, port=port, workers=1, shutdown_grace=30, database_url="", redis_url=""
        )
        with mock.patch.dict(os.environ, self.environment, clear=True):
            return Programs(options, self._servers).web(port)

    def start_worker(self, settings: Mapping[str, str], *, inside: Sequence[str] = ()) -> Worker:
        """Start a master with one worker process, without waiting until it is ready; the caller stops it.

        `inside` is a command that runs the one which follows it somewhere else.
        """
        name = f"worker-{next(self._numbers)}"
        return Worker(
            start(
                name,
                [*inside, sys.executable, "manage.py", "rundramatiq"],
                log=self.logs / f"{name}.log",
                environment={**self.environment, **settings},
                directory=ROOT,
            )
        )

    def hire(self) -> Worker:
        """Return the resident worker, which is started if there is none."""
        if self.resident is None:
            self.resident = self.start_worker({})
        return self.resident

    def dismiss(self) -> None:
        """Kill the resident worker, if any, and remove its row: to the next flow it never was."""
        if self.resident is not None:
            pids = self.resident.pids
            self.resident.kill()
            self.resident = None
            self.sql("DELETE FROM jobs_workerprocess WHERE pid = ANY(%s)", pids)

    def await_web(self) -> None:
        """Wait until the web server answers."""
        until(lambda: self.web_failure() or self.api.ready(), "the web server is ready", note=self.web_failure)
        assert not self.web_failure(), self.web_failure()

    def web_failure(self) -> str:
        """Say how the web server has ended, nothing while it runs."""
        return "" if self._web.poll() is None else self._web.failure()

    def enter_user(self, name: str, group: str) -> str:
        """Enter a member of the staff who is in a group of operators and nothing else; return the password."""
        self.sql(
            "INSERT INTO auth_user (username, password, is_superuser, is_staff, is_active, first_name, last_name,"
            " email, date_joined) SELECT %s, password, false, true, true, '', '', '', now()"
            " FROM auth_user WHERE username = %s ON CONFLICT DO NOTHING",
            name,
            self._template.user,
        )
        self.sql(
            "INSERT INTO auth_user_groups (user_id, group_id) SELECT auth_user.id, auth_group.id FROM auth_user,"
            " auth_group WHERE username = %s AND name = %s ON CONFLICT DO NOTHING",
            name,
            group,
        )
        return self._template.password

    def empty(self) -> None:
        """Remove what a flow has left; of its workers, only the resident one may still be there.

        It goes as well if it is dead, or if there is something left that it might be working on.
        """
        unfinished = "SELECT FROM jobs_jobexecution WHERE status IN ('queued', 'retrying', 'running')"
        if self.resident is not None and (self.resident.failure() or self.sql(unfinished)):
            self.dismiss()
        present = self.resident.pids if self.resident is not None else []
        self.sql("DELETE FROM jobs_workerprocess WHERE pid <> ALL(%s)", present)
        self.sql("UPDATE jobs_periodictask SET last_job_id = NULL")
        for table in (
            *("jobs_attempt", "jobs_deadletter", "jobs_jobexecution", "jobs_lease", "jobs_runcount", "jobs_run"),
            *("jobs_lane", "jobs_idempotentrequest", "jobs_ending", "jobs_tally", "jobs_sample", "jobs_bulkaction"),
            *("alerts_alert", "django_admin_log"),
            *("similarity_mark", "similarity_similarity", "embeddings_change"),
            *("catalogue_listing", "catalogue_page", "catalogue_sync", "catalogue_cataloguesource", "catalogue_seller"),
            *("reminders_deliveryrecord", "reminders_schedule", "reminders_occasion", "reminders_pushsubscription"),
            *("recommendations_opinion", "recommendations_tastevector", "recommendations_tasteprofile"),
            *("curation_collectionitem", "curation_collection", "curation_collectionset"),
            *("curation_rule", "curation_featuredbusiness"),
            *("catalogue_turn", "notifications_deliveryattempt", "notifications_delivery"),
            *("enrichment_previewsample", "enrichment_preview", "enrichment_enrichment", "enrichment_editortags"),
            *("embeddings_embedding", "embeddings_providerusage", "embeddings_servingmodel"),
            *("search_document", "search_term", "search_change", "directory_business"),
        ):
            self.sql(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
        self.sql("ALTER TABLE similarity_mark ENABLE TRIGGER quiet")
        self.start_redis()
        self.flush_redis()

    def follow_similar(self) -> None:
        """Have similar businesses computed until the house is emptied."""
        self.sql("ALTER TABLE similarity_mark DISABLE TRIGGER quiet")

    def sql(self, statement: Any, *parameters: Any) -> list[tuple[Any, ...]]:
        """Run a statement of SQL and return its rows, if any."""
        cursor = self._sql.execute(statement, parameters)
        return cursor.fetchall() if cursor.description is not None else []

    def reconnect(self) -> None:
        """Connect to a database anew whose server was restarted."""
        self._sql.close()
        self._sql = self._stack.enter_context(psycopg.connect(self.environment["DATABASE_URL"], autocommit=True))

    # --- Redis ----------------------------------------------------------------------------------------------------

    def stop_redis(self) -> None:
        """Stop Redis in good order."""
        ((server, child),) = self._servers.children.items()
        server.stop(child)

    def start_redis(self, *, empty: bool = False) -> None:
        """Start Redis again where it was, with its data or without any; harmless when it runs."""
        ((server, child),) = self._servers.children.items()
        if child.poll() is not None:
            if empty:
                shutil.rmtree(vars(server)["_data"] / "appendonlydir")
            server.wait_ready(self._servers.restart(server))

    def flush_redis(self) -> None:
        """Make Redis forget everything."""
        with redis.Redis.from_url(self._servers.redis_url) as client:
            client.flushall()

    def kill_redis(self) -> None:
        """Kill Redis, as a lost machine does."""
        ((_, child),) = self._servers.children.items()
        child.stop(grace=0)

    def signal_redis(self, signum: signal.Signals) -> None:
        """Send a signal to Redis: SIGSTOP freezes it, SIGCONT lets it go on."""
        ((_, child),) = self._servers.children.items()
        os.kill(child.pid, signum)

    def report(self) -> list[tuple[str, str]]:
        """Return the ends of all logs, for a person who has to find out why a flow failed."""
        logs = [*sorted(self.logs.glob("*.log")), Path(os.environ["VAR_DIR"]) / LOG_DIRECTORY / "postgres.log"]
        return [(log.name, log_tail(log, 40)) for log in logs if log.exists()]


class Houses:
    """Keeps one house for each set of settings; a context manager."""

    def __init__(self, template: Template) -> None:
        self._template = template
        self._stack = ExitStack()
        self._kept: dict[frozenset[tuple[str, str]], House] = {}

    def __enter__(self) -> "Houses":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def template(self) -> Template:
        """What the databases are copied from."""
        return self._template

    def of(self, settings: Mapping[str, str]) -> House:
        """Return the house with these settings, empty; its web server may still be starting."""
        key = frozenset(settings.items())
        if key not in self._kept:
            self._kept[key] = self._stack.enter_context(House(self._template, settings))
        return self._kept[key]
