"""The system as a benchmark runs it: a stand-in for Google and workers, on the scratch database of the section."""

import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx2
import psutil
from django.conf import settings
from django.db import connection

from jobs.models import WorkerProcess
from yellowbook.fleet.standin import StandIn
from yellowbook.fleet.waiting import until
from yellowbook.local.errors import LocalError
from yellowbook.local.options import ROOT
from yellowbook.local.port import HOST, ReservedPort
from yellowbook.local.process import Child, start
from yellowbook.local.programs import web_arguments

#: Threads of a worker process that serves one lane: one for each batch under way, and two to spare.
THREADS: Final = settings.JOB_CONCURRENCY + 2
#: Seconds between two looks at whether it is done, which count the rows. What is measured is read from these, not from
#: when we looked.
POLL: Final = 0.1
#: Seconds that anything may take.
PATIENCE: Final = 900.0


def environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment with the database of this connection, and more."""
    name = connection.settings_dict["NAME"]
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
    return {**os.environ, "DATABASE_URL": url, "LOG_LEVEL": "WARNING", **extra}


def logs() -> Path:
    """Return where processes write."""
    directory: Path = settings.VAR_DIR / "log"
    directory.mkdir(parents=True, exist_ok=True)
    return directory


@contextmanager
def standin(latency: float = 0.0, *options: str) -> Iterator[StandIn]:
    """Run a stand-in for Google that takes so many seconds for an answer."""
    arguments = ["--latency", str(latency), *options]
    with StandIn(environment({}), logs() / "standin.log", arguments) as running:
        yield running


@contextmanager
def workers(processes: int, extra: Mapping[str, str]) -> Iterator[list[psutil.Process]]:
    """Run `manage.py rundramatiq` with so many worker processes; yield them once they take work."""
    arguments = ["manage.py", "rundramatiq", "--processes", str(processes)]
    WorkerProcess.objects.all().delete()
    with running("workers", arguments, extra) as child:

        def registered() -> list[int]:
            if child.poll() is not None:
                raise LocalError(child.failure())
            pids = list(WorkerProcess.objects.filter(state="running").values_list("pid", flat=True))
            return pids if len(pids) == processes else []

        yield [psutil.Process(pid) for pid in until(registered, f"{processes} workers have registered")]


@dataclass(frozen=True, slots=True)
class Web:
    """A web server that runs."""

    url: str
    processes: list[psutil.Process]


@contextmanager
def web(extra: Mapping[str, str], **application: str) -> Iterator[Web]:
    """Run the web server with one process, for another `application` if given; yield it once it has answered."""
    port = ReservedPort()
    url = f"http://{HOST}:{port.number}"
    try:
        with running("web", web_arguments(port.number, processes=1, **application), extra) as child:

            def answers() -> bool:
                if child.poll() is not None:
                    raise LocalError(child.failure())
                with suppress(httpx2.TransportError):
                    return httpx2.get(url, trust_env=False).is_success
                return False

            until(answers, "the web server answers")
            yield Web(url, psutil.Process(child.pid).children())
    finally:
        port.release()


@contextmanager
def running(name: str, arguments: Sequence[str], extra: Mapping[str, str]) -> Iterator[Child]:
    """Run this interpreter with some arguments; stopped at the end."""
    with ExitStack() as stack:
        child = start(
            name,
            [sys.executable, *arguments],
            log=logs() / f"{name}.log",
            environment=environment(extra),
            directory=ROOT,
            orphan_signal=signal.SIGKILL,
        )
        stack.callback(child.stop, signal.SIGTERM, grace=60)
        yield child


def now() -> float:
    """Return PostgreSQL's clock, in seconds since 1970."""
    return _number("SELECT extract(epoch FROM clock_timestamp())::float8")


def await_end(kind: str, jobs: int) -> float:
    """Wait until so many jobs of a kind have succeeded; return when the last one did, by PostgreSQL's clock."""
    ended = "SELECT count(*) FROM jobs_jobexecution WHERE kind = %s AND status = 'succeeded'"
    until(lambda: _number(ended, kind) >= jobs, f"{jobs:,} jobs have succeeded", within=PATIENCE, poll=POLL)
    last = "SELECT extract(epoch FROM max(finished_at))::float8 FROM jobs_jobexecution WHERE kind = %s"
    return _number(last, kind)


def await_quiet() -> None:
    """Wait until no job is under way or waits, so that nothing of one measurement reaches into the next."""
    open_jobs = "SELECT count(*) FROM jobs_jobexecution WHERE status IN ('queued', 'running', 'retrying')"
    until(lambda: _number(open_jobs) == 0, "no job is left", within=PATIENCE, poll=POLL)


def _number(statement: str, *given: str) -> float:
    with connection.cursor() as cursor:
        cursor.execute(statement, given)
        return float(cursor.fetchone()[0])
