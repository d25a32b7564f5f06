"""A system without a resident worker, whose workers break down where a flow wants them to."""

import os
import signal
from collections import Counter
from collections.abc import Callable
from itertools import count
from pathlib import Path

import psycopg

from jobs.process.master import BOOT, master_arguments
from tests.flows.faults.nursery import Nursery
from tests.flows.house import House
from tests.flows.system import System
from tests.flows.trouble import Google
from tests.flows.waiting import DEADLINE
from tests.flows.worker import Worker
from yellowbook.fleet.workers import TIED
from yellowbook.soak.check import embedded_texts, findings, unfinished, unheard
from yellowbook.soak.rig import WRONG_CLOCK

#: What the workers of the fault suite differ in: many small batches, and leases of dead workers are in nobody's way.
SMALL = {"EMBEDDING_BATCH_SIZE": "5", "JOB_CONCURRENCY": "24"}
#: Threads of a worker.
THREADS = 6

_numbers = count(1)


class Saboteur:
    """A worker that breaks itself at a step; see `tests.flows.faults.saboteur`."""

    def __init__(self, worker: Worker, mark: Path) -> None:
        self.worker = worker
        self._mark = mark

    @property
    def struck(self) -> bool:
        """Whether it has broken down."""
        return self._mark.exists()

    def ended(self) -> bool:
        """Tell whether it is dead; it must have come to its step before."""
        failure = self.worker.failure()
        assert self.struck or not failure, failure
        return bool(failure)

    @property
    def in_hand(self) -> set[str]:
        """The businesses whose jobs it had claimed by then and not ended."""
        return set(self._mark.read_text(encoding="utf-8").split())

    def resume(self) -> None:
        """Let it go on."""
        fifo = Path(f"{self._mark}.fifo")
        if fifo.exists():
            os.close(os.open(fifo, os.O_WRONLY))
        for pid in self.worker.pids:
            os.kill(pid, signal.SIGCONT)


class Stage(System):
    """A context manager: the house of a system with a stand-in for Google, and as yet no worker."""

    def __init__(self, house: House, nursery: Nursery, google: Google, directory: Path) -> None:
        super().__init__(house)
        self.google = google
        self._nursery = nursery
        self._directory = directory

    def __enter__(self) -> "Stage":
        super().__enter__()
        return self

    @property
    def database(self) -> str:
        """The name of the database."""
        return str(psycopg.conninfo.conninfo_to_dict(self.house.environment["DATABASE_URL"])["dbname"])

    def _hire_first(self) -> None:
        """Have the house without its resident worker."""
        self.house.dismiss()

    # --- workers --------------------------------------------------------------------------------------------------

    def hire(self, *, clock_ahead: float = 0, modules: tuple[str, ...] = (), **settings: str) -> Worker:
        """Start a worker and wait until it takes messages."""
        boot = WRONG_CLOCK if clock_ahead else BOOT
        worker = self._fork("worker", boot, modules, (), THREADS, {**settings, "CLOCK_AHEAD": str(clock_ahead)})
        self.workers.append(worker)
        self._await_worker(worker)
        return worker

    def saboteur(self, step: str, action: str, *, queues: tuple[str, ...] = (), **settings: str) -> Saboteur:
        """Start a worker that breaks down at a step, without waiting until it is ready."""
        mark = self._directory / f"{action} {step}".replace(" ", "-")
        told = {"SABOTAGE": f"{step}/{action}", "SABOTAGE_MARK": str(mark)}
        modules = ("tests.flows.faults.saboteur",)
        return Saboteur(self._fork(mark.name, BOOT, modules, queues, 1, {**settings, **told}), mark)

    def _fork(
        self,
        name: str,
        boot: str,
        modules: tuple[str, ...],
        queues: tuple[str, ...],
        threads: int,
        settings: dict[str, str],
    ) -> Worker:
        environment = {
            "DJANGO_SETTINGS_MODULE": "yellowbook.settings",
            **self.house.environment,
            **SMALL,
            **settings,
        }
        grace = float(environment.get("SHUTDOWN_GRACE", "30"))
        name = f"{name}-{next(_numbers)}"
        arguments = master_arguments(
            processes=1, threads=threads, grace=grace, boot=boot, modules=(TIED, *modules), queues=queues
        )
        log = self.house.logs / f"{name}.log"
        worker = Worker(self._nursery.fork(name, arguments, log=log, environment=environment))
        self._stack.callback(worker.stop, grace=0)
        return worker

    def freeze(self, worker: Worker) -> None:
        """Stop a worker's processes where they are."""
        for pid in worker.pids:
            os.kill(pid, signal.SIGSTOP)

    def resume(self, worker: Worker) -> None:
        """Let a frozen worker go on."""
        for pid in worker.pids:
            os.kill(pid, signal.SIGCONT)

    def in_hand(self, worker: Worker) -> int:
        """Return how many jobs the leases of a worker cover that has just died or been frozen."""
        ((jobs,),) = self.sql(
            "SELECT coalesce(sum(size), 0) FROM jobs_lease AS lease JOIN jobs_workerprocess AS process"
            " ON process.name = lease.worker WHERE process.pid = ANY(%s)",
            worker.pids,
        )
        return int(jobs)

    # --- looking --------------------------------------------------------------------------------------------------

    def embedded(self) -> Counter[str]:
        """Return how often each of the flow's texts got a good vector."""
        return embedded_texts(self.google.record(self.mark))

    def await_end(self, *, meanwhile: Callable[[], None] = lambda: None, within: float = DEADLINE) -> None:
        """Wait until nothing waits or runs any more."""

        def over() -> bool:
            meanwhile()
            return not unfinished(self.sql)

        self.until(over, "nothing waits or runs any more", within=within)

    def assert_nothing_lost(self, *, in_flight: int = 0) -> None:
        """Wait until all is over, and check that nothing was lost, miscounted or done twice without need."""
        self.await_end()
        unanswered = unheard(self.sql, self.google.record(self.mark))
        found = findings(self.sql, self.embedded(), in_flight=in_flight + unanswered)
        assert not found, "\n".join(found)
