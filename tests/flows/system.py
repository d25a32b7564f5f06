"""A whole system of real processes: Valkey, web server, workers, on a database of its own."""

import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar
from unittest import mock

import psutil
import psycopg
import redis

from tests.flows.api import Api
from tests.flows.database import Template, copied_database, manage
from tests.flows.waiting import DEADLINE, until
from yellowbook.local.options import ROOT, Options
from yellowbook.local.port import HOST, ReservedPort
from yellowbook.local.process import Child, log_tail, start
from yellowbook.local.programs import Programs
from yellowbook.local.throwaway import throwaway_servers

#: What of the caller's environment would change how the system behaves.
FOREIGN = (
    *("DATABASE_", "REDIS_", "GEMINI_", "EMBEDDING_", "JOB_", "WORKER", "SHUTDOWN_", "DJANGO_", "VAR_DIR"),
    *("PORT", "SAMPLE_DATA", "LOG_LEVEL", "PROMETHEUS_", "ALERT_", "EMAIL_", "dramatiq_"),
)

T = TypeVar("T")


def clean_environment() -> dict[str, str]:
    """Return the environment without the settings of the project."""
    return {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}


class Worker:
    """One `manage.py rundramatiq`: a master and the process that works."""

    def __init__(self, child: Child) -> None:
        self._child = child

    @property
    def log(self) -> Path:
        """Where it writes."""
        return self._child.log

    def processes(self) -> list[int]:
        """The pids of the processes that work."""
        return [process.pid for process in psutil.Process(self._child.pid).children()]

    def leads(self) -> bool:
        """Tell whether it has been elected as the leader at some time."""
        return '"leading"' in self.log.read_text(encoding="utf-8")

    def kill(self) -> None:
        """Kill master and workers at once, as the kernel does when memory runs out."""
        os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()

    def stop(self, grace: float = DEADLINE) -> int:
        """Ask it to stop; return its exit code, -9 if it did not within `grace` seconds."""
        self._child.stop(signal.SIGTERM, grace=grace)
        return self._child.wait()

    def failure(self) -> str:
        """Say how it ended, nothing while it runs."""
        return "" if self._child.poll() is None else self._child.failure()


class System:
    """Everything that `make run` starts, with settings for a flow; a context manager.

    Whatever was started is stopped at the end, by its pid, whether the flow succeeds or not.
    """

    def __init__(self, template: Template, *, workers: int, settings: Mapping[str, str]) -> None:
        self._template = template
        self._workers = workers
        self._settings = settings
        self._stack = ExitStack()
        self._numbers = count(1)
        self._watched: dict[str, Callable[[], str]] = {}
        self.logs: Path | None = None

    def __enter__(self) -> "System":
        with ExitStack() as stack:
            self._start(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _start(self, stack: ExitStack) -> None:
        self._own = stack
        url = stack.enter_context(copied_database(self._template))
        self._servers = stack.enter_context(throwaway_servers(database_url=url))
        self.logs = self._servers.logs
        self._sql = stack.enter_context(psycopg.connect(url, autocommit=True))
        self.environment = {
            **clean_environment(),
            "VAR_DIR": str(self._servers.var_dir),
            "DATABASE_URL": url,
            "REDIS_URL": self._servers.redis_url,
            **self._settings,
        }
        port = ReservedPort()
        stack.callback(port.release)
        self._serve(port.number)
        workers = [self._spawn_worker() for _ in range(self._workers)]
        self.api = Api(f"http://{HOST}:{port.number}", self._template.token)
        stack.callback(self.api.http.close)
        self.until(self.api.ready, "the web server is ready")
        for worker in workers:
            self._await_worker(worker)
        self.workers = workers

    # --- processes ------------------------------------------------------------------------------------------------

    def _serve(self, port: int) -> None:
        """Start the web server with the command line that `make run` uses."""
        options = Options(
            var_dir=self._servers.var_dir, port=port, workers=1, shutdown_grace=30, database_url="", redis_url=""
        )
        with mock.patch.dict(os.environ, self.environment, clear=True):
            web = Programs(options, self._servers).web(port)
        self._own.callback(web.stop, signal.SIGTERM, grace=5)
        self._watched["web"] = lambda: "" if web.poll() is None else web.failure()

    def start_worker(self, **settings: str) -> Worker:
        """Start one more worker and wait until it takes messages."""
        worker = self._spawn_worker(**settings)
        self._await_worker(worker)
        self.workers.append(worker)
        return worker

    def _spawn_worker(self, **settings: str) -> Worker:
        assert self.logs is not None
        name = f"worker-{next(self._numbers)}"
        child = start(
            name,
            [sys.executable, "manage.py", "rundramatiq"],
            log=self.logs / f"{name}.log",
            environment={**self.environment, **settings},
            directory=ROOT,
        )
        self._own.callback(child.stop, grace=0)
        worker = Worker(child)
        self._watched[name] = worker.failure
        return worker

    def _await_worker(self, worker: Worker) -> None:
        def registered() -> bool:
            return bool(
                self.sql(
                    "SELECT FROM jobs_workerprocess WHERE state = 'running' AND pid = ANY(%s)", worker.processes()
                )
            )

        self.until(registered, "the worker has registered")

    def kill(self, worker: Worker) -> None:
        """Kill a worker."""
        self._unwatch(worker)
        worker.kill()

    def stop(self, worker: Worker, grace: float = DEADLINE) -> int:
        """Ask a worker to stop and return its exit code."""
        self._unwatch(worker)
        return worker.stop(grace)

    def _unwatch(self, worker: Worker) -> None:
        self.workers.remove(worker)
        del self._watched[worker.log.stem]

    def manage(self, *arguments: str) -> str:
        """Run a management command beside the system; return what it printed."""
        return manage(self.environment, *arguments)

    # --- Redis ----------------------------------------------------------------------------------------------------

    def stop_redis(self) -> None:
        """Stop Redis in good order."""
        ((server, child),) = self._servers.children.items()
        server.stop(child)

    def start_redis(self) -> None:
        """Start Redis again, with its data, where it was."""
        (server,) = self._servers.children
        server.wait_ready(self._servers.restart(server))

    def flush_redis(self) -> None:
        """Make Redis forget everything."""
        with redis.Redis.from_url(self._servers.redis_url) as client:
            client.flushall()

    # --- looking --------------------------------------------------------------------------------------------------

    def until(self, look: Callable[[], T], what: str, *, within: float = DEADLINE) -> T:
        """Wait as `waiting.until` does; fail at once when a process has ended that nobody asked to end."""

        def alive() -> T:
            ended = [said for said in (failure() for failure in self._watched.values()) if said]
            assert not ended, "\n".join(ended)
            return look()

        return until(alive, what, within=within, note=lambda: f"Jobs: {dict(self.jobs())}")

    def sql(self, statement: Any, *parameters: Any) -> list[tuple[Any, ...]]:
        """Run a statement of SQL and return its rows, if any."""
        cursor = self._sql.execute(statement, parameters)
        return cursor.fetchall() if cursor.description is not None else []

    def jobs(self) -> Counter[str]:
        """Count the jobs by status."""
        return Counter(dict(self.sql("SELECT status, count(*) FROM jobs_jobexecution GROUP BY status")))

    def results(self) -> Counter[str]:
        """Count the jobs by result."""
        return Counter(dict(self.sql("SELECT result, count(*) FROM jobs_jobexecution GROUP BY result")))

    def busy(self) -> bool:
        """Tell whether a provider call is under way."""
        return bool(self.sql("SELECT FROM jobs_lease WHERE progress = 50"))

    def await_success(self, number: int, *, within: float = DEADLINE) -> float:
        """Wait until the one and only `number` jobs there are have succeeded; return how many seconds that took."""
        began = time.monotonic()
        self.until(lambda: self.jobs() == {"succeeded": number}, f"{number} jobs have succeeded", within=within)
        return time.monotonic() - began

    def await_job(self, job_id: str, *, within: float = DEADLINE) -> dict[str, Any]:
        """Wait until a job has succeeded and return it as the API shows it."""

        def done() -> dict[str, Any] | None:
            job = self.api.job(job_id)
            assert job["status"] not in {"dead", "cancelled"}, job
            return job if job["status"] == "succeeded" else None

        return self.until(done, "the job has succeeded", within=within) or {}

    def without_fresh_vector(self) -> int:
        """Count the businesses whose stored vector is missing or of another text."""
        return int(
            self.sql(
                "SELECT count(*) FROM directory_business AS business WHERE NOT EXISTS (SELECT FROM"
                " embeddings_embedding AS stored WHERE stored.business_id = business.id"
                " AND stored.text_hash = business.text_hash)"
            )[0][0]
        )

    def plant(self, number: int, name: str = "Planted") -> list[str]:
        """Put businesses into the table past Django, so without jobs; return their ids."""
        return [
            str(row[0])
            for row in self.sql(
                "INSERT INTO directory_business (id, external_id, name, category, description, address, city, phone,"
                " email, website, offers_online, status, created_at, updated_at)"
                " SELECT gen_random_uuid(), '', %s || ' ' || number, 'Café', 'Кофе, бялуу ' || number, 'Street 1', '',"
                " '', '', '', false, 'published', now(), now() FROM generate_series(1, %s) AS number RETURNING id",
                name,
                number,
            )
        ]

    def report(self) -> list[tuple[str, str]]:
        """Return the ends of all logs, for a person who has to find out why a flow failed."""
        logs = sorted(self.logs.glob("*.log")) if self.logs is not None else []
        return [(log.name, log_tail(log, 40)) for log in logs]
