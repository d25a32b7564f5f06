"""What the soak runs: servers of its own, a stand-in for Google that fails, editors, workers."""

import json
import os
import re
import shutil
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil
import psycopg
from redis import Redis

from embeddings.standin.service import ON_CONNECTION
from jobs.process.master import BOOT
from yellowbook.fleet.environment import environment_of
from yellowbook.fleet.standin import StandIn
from yellowbook.fleet.waiting import WITHIN
from yellowbook.fleet.workers import start_worker
from yellowbook.local.errors import LocalError
from yellowbook.local.options import ROOT
from yellowbook.local.postgres import NAME, SUPERUSER, Postgres
from yellowbook.local.process import Child, start
from yellowbook.local.servers import Server
from yellowbook.local.throwaway import throwaway_servers
from yellowbook.local.valkey import Valkey
from yellowbook.soak.check import embedded_texts

#: Settings under which faults show soon; the lease is the longest time that a fault of one worker delays a job.
LEASE, HEARTBEAT = 20.0, 3.0
SETTINGS = {
    "EMBEDDING_BATCH_SIZE": "20",
    "EMBEDDING_TIMEOUT": "5",
    "JOB_CONCURRENCY": "6",
    "JOB_LEASE": str(LEASE),
    "WORKER_HEARTBEAT": str(HEARTBEAT),
    "SAMPLE_DATA": "0",
}
#: Faults of the stand-in, for so large a share of its calls; seconds that an answer takes.
FAULTS, SHARE, LATENCY = ["500", "429_minute", "reset", "timeout", "nan", "wrong_count"], 0.3, 0.5
#: Loaded in place of `jobs.boot` on a host whose clock is wrong.
WRONG_CLOCK = "yellowbook.soak.clock"
#: Threads of a worker.
THREADS = 7
#: Seconds that the clock of the second worker's host is ahead.
CLOCK_AHEAD = 120.0


class Slot:
    """The place of one worker, whose process may be another one later.

    The second one's clock is wrong, the third one gets every message five times.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.child: Child | None = None
        self.frozen = False
        #: Whether it was asked to stop.
        self.stopping = False
        #: When its next process is to start, by the monotonic clock.
        self.start_at = 0.0

    @property
    def runs(self) -> bool:
        """Whether it does its work, for all we know."""
        return self.child is not None and self.child.poll() is None and not self.frozen and not self.stopping

    def pids(self) -> list[int]:
        """Return the pids of the processes that work."""
        if self.child is None or self.child.poll() is not None:
            return []
        try:
            return [process.pid for process in psutil.Process(self.child.pid).children()]
        except psutil.NoSuchProcess:
            return []


class Rig:
    """A context manager: everything is up inside, and nothing is left afterwards."""

    def __init__(self, *, seed: int, workers: int, businesses: int, backlog: int) -> None:
        self.slots = [Slot(number) for number in range(workers)]
        self._editing = [str(seed), str(businesses), str(backlog)]
        self._seed = seed
        self._stack = ExitStack()
        self._numbers = iter(range(10**6))
        self._seen = 0
        #: How often each text got a good vector, by its hash.
        self.embedded: Counter[str] = Counter()
        #: Calls by fault.
        self.calls: Counter[str] = Counter()
        #: Texts whose call failed on the connection by a fault.
        self.cut_texts = 0

    def __enter__(self) -> "Rig":
        with ExitStack() as stack:
            self._servers = servers = stack.enter_context(throwaway_servers())
            self.logs = servers.logs
            self.url = servers.database_url
            self.environment = environment_of(servers, **SETTINGS)
            # Else a crash of the server could take back what was committed in its last moments.
            with psycopg.connect(self.url, user=SUPERUSER, autocommit=True) as connection:
                connection.execute(f"ALTER ROLE {NAME} SET synchronous_commit = on".encode())
            self._run("manage.py", "migrate", "--noinput", "-v0")
            self._start_standin(stack)
            stack.callback(self._end)
            self._editor = self._start("editor", "-m", "yellowbook.soak.editor", *self._editing, str(self._ledger))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _end(self) -> None:
        """Kill what is left of workers and editors."""
        for slot in self.slots:
            if slot.child is not None:
                slot.child.stop(grace=0)
        self._editor.stop(grace=0)

    @property
    def _ledger(self) -> Path:
        return self.logs / "ledger.json"

    def _start(self, name: str, *arguments: str) -> Child:
        return start(
            name,
            [sys.executable, *arguments],
            log=self.logs / f"{name}.log",
            environment=self.environment,
            directory=ROOT,
        )

    def _run(self, *arguments: str) -> None:
        child = self._start("setup", *arguments)
        if child.wait() != 0:
            raise LocalError(child.failure())

    # --- the provider ---------------------------------------------------------------------------------------------

    def _start_standin(self, stack: ExitStack) -> None:
        self._standin = stack.enter_context(StandIn(self.environment, self.logs / "standin.log"))
        self.environment |= self._standin.settings
        self._standin.steer("POST", "latency", {"seconds": LATENCY})
        self._standin.steer("POST", "faults", {"fault": FAULTS, "probability": SHARE, "seed": self._seed})

    def heal_provider(self) -> None:
        """Have no more calls fail."""
        self._standin.steer("DELETE", "faults")

    def read_calls(self) -> None:
        """Count the calls that were made since the last time."""
        calls = self._standin.steer("GET", f"log?since={self._seen}")["calls"]
        if calls:
            self._seen = calls[-1]["number"]
        self.embedded += embedded_texts(calls, "sha256")
        self.calls.update(call["fault"] or "ok" for call in calls)
        self.cut_texts += sum(call["texts"] for call in calls if call["fault"] in ON_CONNECTION)

    # --- the database ---------------------------------------------------------------------------------------------

    def sql(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows; raises `psycopg.OperationalError` while the server is away."""
        with psycopg.connect(self.url, autocommit=True, connect_timeout=5) as connection:
            cursor = connection.execute(statement.encode(), parameters)
            return cursor.fetchall() if cursor.description is not None else []

    def in_hand(self, pids: Sequence[int]) -> int:
        """Return how many jobs the leases of workers cover that have just died or been frozen."""
        ((jobs,),) = self.sql(
            "SELECT coalesce(sum(size), 0) FROM jobs_lease AS lease JOIN jobs_workerprocess AS process"
            " ON process.name = lease.worker WHERE process.pid = ANY(%s)",
            list(pids),
        )
        return int(jobs)

    # --- servers --------------------------------------------------------------------------------------------------

    def _server(self, kind: type[Postgres | Valkey]) -> tuple[Server, Child]:
        return next((server, child) for server, child in self._servers.children.items() if isinstance(server, kind))

    def restart_postgres(self, *signals: signal.Signals) -> None:
        """End PostgreSQL by a signal and start it again."""
        server, child = self._server(Postgres)
        child.stop(*signals, grace=WITHIN)
        server.wait_ready(self._servers.restart(server))

    def kill_redis(self) -> None:
        """Kill Redis."""
        self._server(Valkey)[1].stop(grace=0)

    def start_redis(self, *, empty: bool) -> None:
        """Start Redis again, with its data or without any."""
        server, child = self._server(Valkey)
        if child.poll() is not None:
            if empty:
                shutil.rmtree(vars(server)["_data"] / "appendonlydir")
            server.wait_ready(self._servers.restart(server))

    def signal_redis(self, signum: signal.Signals) -> None:
        """Freeze Redis, or let it go on."""
        child = self._server(Valkey)[1]
        if child.poll() is None:
            os.kill(child.pid, signum)

    def flush_redis(self) -> None:
        """Have Redis forget everything."""
        with Redis.from_url(self._servers.redis_url, socket_timeout=5) as client:
            client.flushall()

    # --- workers and editors --------------------------------------------------------------------------------------

    def start_worker(self, slot: Slot) -> None:
        """Have a process in a slot."""
        name = f"worker-{slot.number}-{next(self._numbers)}"
        slot.child = start_worker(
            name,
            self.environment | {"CLOCK_AHEAD": str(CLOCK_AHEAD)},
            self.logs / f"{name}.log",
            threads=THREADS,
            boot=WRONG_CLOCK if slot.number == 1 else BOOT,
            modules=["yellowbook.soak.duplicator"] if slot.number == 2 else [],
        )
        slot.frozen = slot.stopping = False

    def leader(self) -> Slot | None:
        """Return the worker that was elected last."""
        elected = [(_elected(slot.child.log), slot) for slot in self.slots if slot.child is not None]
        return max(elected, key=lambda each: each[0])[1] if any(at for at, _ in elected) else None

    def editor_failure(self) -> str:
        """Say how the editors have ended, nothing while they work."""
        return "" if self._editor.poll() is None else self._editor.failure()

    def stop_editor(self) -> dict[str, str | None]:
        """Stop the editors and return their ledger."""
        self._editor.stop(signal.SIGTERM, grace=WITHIN)
        if self._editor.poll() != 0:
            raise LocalError(self._editor.failure())
        ledger: dict[str, str | None] = json.loads(self._ledger.read_text(encoding="utf-8"))
        return ledger


def _elected(log: Path) -> str:
    """Return when a worker began to lead the last time; nothing if never."""
    times = re.findall(r'"event": "leading".*"timestamp": "([^"]+)"', log.read_text(encoding="utf-8"))
    return times[-1] if times else ""
