"""Looking at failures from outside: the stand-in with all its levers, dead letters, lanes, and time that is moved."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import redis

from tests.flows.api import Api
from tests.flows.standin import StandIn
from tests.flows.system import System

KIND = "generate_embedding"
LANE = f"/api/admin/lanes/{KIND}"


class Google(StandIn):
    """The running stand-in, for a system with `settings` that differ from the usual ones."""

    def __init__(self, standin: StandIn, **settings: str) -> None:
        self.__dict__.update(vars(standin))
        self._own = settings

    @property
    def settings(self) -> dict[str, str]:
        """The environment of a system that takes it for Google."""
        return {**super().settings, **self._own}

    def of(self, provider: str) -> "Google":
        """Return it as it is for a system with another SDK."""
        usual = StandIn.settings.fget(self)["EMBEDDING_PROVIDER"]  # type: ignore[attr-defined]
        return Google(self, **({} if provider == usual else {"EMBEDDING_PROVIDER": provider}))

    def record(self, marker: str = "") -> list[dict[str, Any]]:
        """Return the calls that had `marker` in one of their texts, by the time at which they began."""
        calls = [call for call in self.steer("GET", "log")["calls"] if any(marker in text for text in call["text"])]
        return sorted(calls, key=lambda call: call["at"])

    def embedded(self, marker: str) -> Counter[str]:
        """Count how often each text with `marker` in it was sent in a call that was answered well."""
        return Counter(
            text for call in self.record(marker) if call["status"] == 200 for text in call["text"] if marker in text
        )

    def statuses(self, marker: str = "") -> Counter[int | None]:
        """Count the answers to those calls by HTTP status; None: no answer, or none in full."""
        return Counter(call["status"] for call in self.record(marker))

    def heal(self) -> None:
        """Take all faults back."""
        self.steer("DELETE", "faults")

    def revoke(self) -> None:
        """Refuse every key."""
        self.steer("POST", "keys", {"revoke": ["*"]})

    def restore(self) -> None:
        """Take every key again."""
        self.steer("POST", "keys", {"restore": ["*"]})

    def allow(self, rpm: int | None) -> None:
        """Enforce so many texts per minute; None: any number."""
        self.steer("POST", "quotas", {"rpm": rpm})


@contextmanager
def steered(standin: StandIn) -> Iterator[Google]:
    """Yield the stand-in with all its levers, and put those back that its reset leaves as they are."""
    google = Google(standin)
    try:
        yield google
    finally:
        google.allow(None)
        google.reset()


# --- the API ----------------------------------------------------------------------------------------------------------


def ask(api: Api, method: str, path: str, body: Any = None, expected: int = 200) -> Any:
    """Call an endpoint of the API and return its answer."""
    answer = api.http.request(method, path, json=body)
    assert answer.status_code == expected, f"{method} {path}: {answer.status_code} {answer.text}"
    return answer.json()


def letter(system: System, job_id: str) -> dict[str, Any]:
    """Return the dead letter of a job."""
    found: dict[str, Any] = ask(system.api, "GET", f"/api/admin/dlq/{job_id}")
    return found


def letters(system: System) -> dict[str, Any]:
    """Return the first page of unsettled dead letters, with the counts of all."""
    found: dict[str, Any] = ask(system.api, "GET", "/api/admin/dlq?resolved=false")
    return found


def lane(system: System) -> dict[str, Any]:
    """Return the lane as the API shows it; nothing before its first claim."""
    (found,) = [each for each in ask(system.api, "GET", "/api/admin/lanes") if each["kind"] == KIND]
    assert found["kind"] == KIND
    shown: dict[str, Any] = found
    return shown


def causes(system: System) -> list[dict[str, Any]]:
    """Return the unsettled dead letters by cause, the most frequent first."""
    found: list[dict[str, Any]] = ask(system.api, "GET", "/api/admin/dlq/causes")
    return found


def retry_cause(system: System, cause: dict[str, Any], *, dry_run: bool = False) -> dict[str, int]:
    """Retry all dead letters of one cause, as one request; return {requeued, skipped}."""
    body = {"fingerprint": cause["fingerprint"], "dry_run": dry_run}
    found: dict[str, int] = ask(system.api, "POST", "/api/admin/dlq/retry", body)
    return found


def await_pause(system: System) -> dict[str, Any]:
    """Wait until the lane is paused and nothing of it runs; return it."""

    def paused() -> dict[str, Any]:
        shown = lane(system)
        return shown if shown["paused"] and not shown["running"] else {}

    return system.until(paused, "the lane is paused")


def await_state(system: System, job_id: str, state: str) -> dict[str, Any]:
    """Wait until a job is in a state and return it."""

    def there() -> dict[str, Any]:
        job = system.api.job(job_id)
        return job if job["status"] == state else {}

    return system.until(there, f"the job is {state}")


def resume(system: System) -> None:
    """Resume the lane as a person does: pause, closing time and throttle's block are lifted."""
    assert not ask(system.api, "POST", f"{LANE}/resume")["paused"]


def states(system: System, job_ids: Sequence[str]) -> Counter[str]:
    """Count some jobs by status."""
    rows = system.sql(
        "SELECT status, count(*) FROM jobs_jobexecution WHERE id = ANY(%s::uuid[]) GROUP BY status", list(job_ids)
    )
    return Counter(dict(rows))


def figures(system: System) -> str:
    """Say in a line what a flow did, from its rows."""
    calls = system.sql(
        "SELECT outcome, sum(calls)::int FROM embeddings_providerusage GROUP BY outcome ORDER BY outcome"
    )
    ends = system.sql("SELECT status, count(*) FROM jobs_jobexecution GROUP BY status ORDER BY status")
    letters = system.sql(
        "SELECT error_class || coalesce(nullif(' ' || resolution, ' '), ''), count(*) FROM jobs_deadletter"
        " GROUP BY 1 ORDER BY 1"
    )
    said = {"calls": calls, "jobs": ends, "dead letters": letters}
    return "; ".join(
        f"{what}: {', '.join(f'{count} {name}' for name, count in rows) or 'none'}" for what, rows in said.items()
    )


# --- time -------------------------------------------------------------------------------------------------------------


def make_due(system: System) -> None:
    """Let no retry wait any longer."""
    system.sql(
        "UPDATE jobs_jobexecution SET next_attempt_at = now() WHERE status = 'retrying' AND next_attempt_at > now()"
    )


def reopen(system: System) -> None:
    """Let no lane stay closed because its provider asked everybody to wait."""
    system.sql("UPDATE jobs_lane SET closed_until = now() WHERE closed_until > now()")


def connected(system: System) -> redis.Redis:
    """Return a connection to the system's Redis."""
    return redis.Redis.from_url(system.house.environment["REDIS_URL"], decode_responses=True)


def blocked_for(system: System) -> float:
    """Return the seconds for which the budget still grants nothing to anybody; not above 0 when it grants."""
    with connected(system) as client:
        (key,) = client.keys("throttle:*:state")
        seconds, microseconds = client.time()
        return float(client.hget(key, "blocked_until") or 0) / 1000 - float(seconds) - float(microseconds) / 1e6


def forget_calls(system: System, google: Google) -> None:
    """Go on as if the provider had never been called: workers that start probe it. Takes faults back as well."""
    google.reset()
    system.sql("DELETE FROM embeddings_providerusage")
    with connected(system) as client:
        for key in client.keys("throttle:*"):
            if key.endswith(":state"):  # without it Redis would ask the rows
                client.hdel(key, "blocked_until", "unknown_until")
            else:
                client.delete(key)


# --- workers ----------------------------------------------------------------------------------------------------------


def replace_worker(system: System, *, number: int = 1, **settings: str) -> None:
    """Have workers with other settings in place of the resident one."""
    (resident,) = system.workers
    system.kill(resident)
    for _ in range(number):
        system.start_worker(**settings)


def tallies(system: System) -> tuple[int, int]:
    """Return how many attempts the workers say they brought to an end, and how many of them failed."""
    pids = {pid for worker in system.workers for pid in worker.pids}
    shown = [worker for worker in system.api.listed("/api/admin/workers") if worker["pid"] in pids]
    assert len(shown) == len(pids)
    return sum(worker["processed"] for worker in shown), sum(worker["failed"] for worker in shown)
