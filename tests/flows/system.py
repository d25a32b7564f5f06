"""A whole system of real processes, as one flow uses it: the shared house, and the workers that it needs."""

import secrets
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Any, TypeVar

from tests.flows.database import manage
from tests.flows.house import House
from tests.flows.waiting import DEADLINE, START_DEADLINE, until
from tests.flows.worker import Worker

T = TypeVar("T")


class System:
    """A context manager; at its end the flow's own workers are gone and the house is empty again.

    The first worker is the house's resident one.
    """

    def __init__(self, house: House) -> None:
        self.house = house
        self.api = house.api
        self.sql = house.sql
        self.workers: list[Worker] = []
        #: Part of the texts of this flow and of no other: calls of an earlier one may still be at the stand-in.
        self.mark = secrets.token_hex(6)
        self._stack = ExitStack()

    def __enter__(self) -> "System":
        with ExitStack() as stack:
            self._stack = stack
            stack.callback(self.house.empty)
            self._hire_first()
            self.house.await_web()
            for worker in self.workers:
                self._await_worker(worker)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _hire_first(self) -> None:
        """Have the worker that a system begins with."""
        self.workers = [self.house.hire()]

    # --- workers --------------------------------------------------------------------------------------------------

    def start_worker(self, **settings: str) -> Worker:
        """Start one more worker and wait until it takes messages."""
        worker = self._spawn_worker(settings)
        self._await_worker(worker)
        return worker

    def _spawn_worker(self, settings: Mapping[str, str]) -> Worker:
        worker = self.house.start_worker(settings)
        self._stack.callback(worker.stop, grace=0)
        self.workers.append(worker)
        return worker

    def _await_worker(self, worker: Worker) -> None:
        registered = "SELECT FROM jobs_workerprocess WHERE state = 'running' AND pid = ANY(%s)"
        self.until(lambda: self.sql(registered, worker.pids), "the worker has registered", within=START_DEADLINE)

    def kill(self, worker: Worker) -> None:
        """Kill a worker."""
        self._let_go(worker)
        worker.kill()

    def stop(self, worker: Worker, grace: float = DEADLINE) -> int:
        """Ask a worker to stop; return its exit code, -9 if it did not within `grace` seconds."""
        self._let_go(worker)
        return worker.stop(grace)

    def _let_go(self, worker: Worker) -> None:
        """Expect a worker's end from now on."""
        self.workers.remove(worker)
        if worker is self.house.resident:
            self.house.resident = None
            self._stack.callback(worker.stop, grace=0)

    def manage(self, *arguments: str) -> str:
        """Run a management command beside the system; return what it printed."""
        return manage(self.house.environment, *arguments)

    # --- looking --------------------------------------------------------------------------------------------------

    def until(self, look: Callable[[], T], what: str, *, within: float = DEADLINE) -> T:
        """Wait as `waiting.until` does; fail at once when a process has ended that nobody asked to end."""

        def alive() -> T:
            ended = [said for said in (self.house.web_failure(), *(each.failure() for each in self.workers)) if said]
            assert not ended, "\n".join(ended)
            return look()

        return until(alive, what, within=within, note=lambda: f"Jobs: {dict(self.jobs())}")

    def jobs(self) -> Counter[str]:
        """Count the jobs by status."""
        return Counter(dict(self.sql("SELECT status, count(*) FROM jobs_jobexecution GROUP BY status")))

    def results(self) -> Counter[str]:
        """Count the jobs by result."""
        return Counter(dict(self.sql("SELECT result, count(*) FROM jobs_jobexecution GROUP BY result")))

    def sent(self) -> int:
        """Count the texts that are at the provider now."""
        ((texts,),) = self.sql("SELECT coalesce(sum(size), 0) FROM jobs_lease WHERE progress = 50")
        return int(texts)

    def await_success(self, number: int, *, within: float = DEADLINE) -> float:
        """Wait until there are `number` jobs and all of them have succeeded; return how many seconds that took."""
        began = time.monotonic()
        self.until(lambda: self.jobs() == {"succeeded": number}, f"{number} jobs have succeeded", within=within)
        return time.monotonic() - began

    def await_job(self, job_id: str, *, within: float = DEADLINE) -> dict[str, Any]:
        """Wait until a job has succeeded and return it as the API shows it."""

        def done() -> dict[str, Any]:
            job = self.api.job(job_id)
            assert job["status"] not in {"dead", "cancelled"}, job
            return job if job["status"] == "succeeded" else {}

        return self.until(done, "the job has succeeded", within=within)

    def without_fresh_vector(self) -> int:
        """Count the businesses that have no vector of their present text."""
        ((number,),) = self.sql(
            "SELECT count(*) FROM directory_business AS business WHERE NOT EXISTS (SELECT FROM embeddings_embedding"
            " AS stored WHERE stored.business_id = business.id AND stored.text_hash = business.text_hash)"
        )
        return int(number)

    def plant(self, number: int, name: str = "Planted") -> list[str]:
        """Put businesses with different texts into the table past Django, so without jobs; return their ids."""
        rows = self.sql(
            "INSERT INTO directory_business (id, external_id, name, category, description, address, city, phone, email,"
            " website, offers_online, status, created_at, updated_at)"
            " SELECT gen_random_uuid(), '', %s || ' ' || number, 'Café', 'Кофе, бялуу ' || number, 'Street 1', '', '',"
            " '', '', false, 'published', now(), now() FROM generate_series(1, %s) AS number RETURNING id",
            f"{name} {self.mark}",
            number,
        )
        return [str(row[0]) for row in rows]
