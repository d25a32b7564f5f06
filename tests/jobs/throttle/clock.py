"""Moving a throttle's time without waiting: what is in Redis grows older."""

from typing import Any
from uuid import uuid4

from redis import Redis

from jobs.throttle import History, Limits, Throttle

NOTHING_KNOWN = History(units_today=0, unknown_for=0.0)


def new_throttle(
    client: Redis, *, history: Any = lambda: NOTHING_KNOWN, deadline: float = 30.0, **limits: Any
) -> Throttle:
    """Make a throttle that shares its budget with no other test."""
    return Throttle(f"test-{uuid4().hex}", Limits(**limits), history=history, call_deadline=deadline, client=client)


def twin(throttle: Throttle, client: Redis, **changes: Any) -> Throttle:
    """Make another process's throttle over the same budget."""
    history = changes.pop("history", lambda: NOTHING_KNOWN)
    return Throttle(throttle.name, throttle.limits, history=history, call_deadline=30.0, client=client, **changes)


def later(throttle: Throttle, client: Redis, seconds: float) -> None:
    """Let `seconds` pass for everything that the throttle remembers, but not for the day."""
    prefix = f"throttle:{{{throttle.name}}}"
    milliseconds = int(seconds * 1000)
    entries: Any = client.zrange(f"{prefix}:log", 0, -1, withscores=True)
    aged: dict[Any, Any] = {each: score - milliseconds for each, score in entries}
    if aged:
        client.zadd(f"{prefix}:log", aged)
    for name in ("blocked_until", "unknown_until"):
        until = client.hget(f"{prefix}:state", name)
        if until is not None:
            client.hset(f"{prefix}:state", name, int(until) - milliseconds)


def server_time(client: Redis) -> float:
    """Return Redis's time in seconds."""
    seconds, microseconds = client.time()
    return float(seconds) + float(microseconds) / 1e6
