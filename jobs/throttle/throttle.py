"""The budget towards one provider, shared by every process through Redis."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

import structlog
from redis import Redis, RedisError
from redis.commands.core import Script

from jobs import outage
from jobs.redis import PATIENT, connect
from jobs.throttle.limits import QUOTA_ZONE, Limits, next_reset

log = structlog.get_logger(__name__)

#: Milliseconds that a unit counts for: the provider's minute, and a little for clocks that tick differently.
WINDOW = 60_250
#: Seconds that a lane waits before it asks a Redis that did not answer again.
WITHOUT_REDIS = 2.0
#: Seconds for which the measured difference between Redis's clock and ours is good.
OFFSET_AGE = 60.0

_SCRIPT = (Path(__file__).parent / "budget.lua").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class History:
    """What was spent before, as far as anybody but Redis knows."""

    #: Units since the last midnight Pacific time.
    units_today: int
    #: Seconds for which the last minute can't be told and nothing is granted; 0 when nothing was spent in it.
    unknown_for: float


@dataclass(frozen=True, slots=True)
class Grant:
    """Leave to send up to `units`, of which ordinary work may use `ordinary`; the rest is for priority `high`.

    With no units at all, `wait` is the number of seconds until there may be some. With units but none for ordinary
    work, it is the number of seconds until there may be some for that.
    """

    id: str
    units: int
    ordinary: int
    wait: float = 0.0
    #: The quota day that the units are counted on.
    day: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """How much of each budget is used; None for a budget without limit."""

    units_this_minute: int
    tokens_this_minute: int
    units_today: int
    #: Seconds for which nothing is granted.
    blocked_for: float


@dataclass(frozen=True, slots=True)
class Spent:
    """What one call spent, and the seconds until it no longer counts."""

    free_in: float
    units: int
    tokens: int


class Throttle:
    """Grants units before they are sent, so that the provider never has to refuse.

    Every grant counts for a full window from the end of its call. A Redis that lost its memory is told what the rows
    know (`history`), and grants nothing while the last minute can't be told. A Redis that does not answer grants
    nothing.
    """

    def __init__(
        self,
        name: str,
        limits: Limits,
        *,
        history: Callable[[], History],
        call_deadline: float,
        client: Redis | None = None,
        window: int = WINDOW,
    ) -> None:
        self.name = name
        self.limits = limits
        self._history = history
        self._flight = int(call_deadline * 1000)
        self._window = window
        self._given = client
        self._offset = 0.0
        self._offset_until = 0.0

    @cached_property
    def _client(self) -> Redis:
        return self._given or connect(timeout=PATIENT)

    @cached_property
    def _script(self) -> Script:
        return self._client.register_script(_SCRIPT)

    def reserve(self, wanted: int) -> Grant:
        """Reserve up to `wanted` units; Redis away means none. Raises what `history` raises, if it is asked."""
        grant_id = uuid4().hex
        limits = self.limits
        arguments = [
            grant_id,
            wanted,
            self._flight,
            limits.allowed(limits.units_per_minute),
            limits.allowed(limits.tokens_per_minute),
            limits.allowed(limits.units_per_day),
            limits.reserved(limits.units_per_minute),
            limits.reserved(limits.tokens_per_minute),
            limits.reserved(limits.units_per_day),
        ]
        try:
            day = self._day()
            units, ordinary, wait = self._run("reserve", *arguments, day=day)
            if units < 0:
                self._teach()
                units, ordinary, wait = self._run("reserve", *arguments, day=day)
            seconds = self.seconds_until_reset() if wait < 0 else wait / 1000
        except RedisError as error:
            outage.redis.trip(error)
            return Grant(grant_id, 0, 0, WITHOUT_REDIS)
        outage.redis.heal()
        return Grant(grant_id, max(0, units), max(0, ordinary), seconds, day)

    def spend(self, grant: Grant, tokens: int, *, texts: int = 1, use_reserve: bool) -> tuple[bool, int, float]:
        """Count the tokens of the `texts` texts that are about to be sent under `grant`; urgent work uses the reserve.

        Returns (True, 0, 0.0), or (False, tokens that fit now, seconds until all would fit): then nothing was counted.
        Raises `redis.RedisError` when Redis is away, and `LookupError` when it lost the grant.
        """
        budget = self.limits.tokens_per_minute
        limit, reserved = self.limits.allowed(budget), 0 if use_reserve else self.limits.reserved(budget)
        done, room, wait = self._run("spend", grant.id, tokens, limit, reserved, texts)
        if done < 0:
            raise LookupError(f"the grant is not known to {self.name!r} any more")
        return bool(done), int(room), wait / 1000

    def refund(self, grant: Grant, *, kept: int) -> None:
        """Give back all but `kept` units, which were not and will not be sent. Never raises: at worst they lapse."""
        if kept < grant.units:
            self._quietly("refund", grant.id, kept, day=grant.day)

    def done(self, grant: Grant) -> None:
        """Start the window of a grant whose call has ended, well or not. Never raises: at worst it starts later."""
        self._quietly("done", grant.id)

    def block(self, seconds: float) -> None:
        """Grant nothing to anybody for a while: the provider refused all the same. Never raises."""
        self._quietly("block", max(1, int(seconds * 1000)))

    def unblock(self) -> None:
        """Lift a block. Never raises."""
        self._quietly("unblock")

    def forget(self) -> None:
        """Have the rows tell what was spent when next somebody asks: others counted it. Never raises."""
        try:
            self._client.delete(*self._keys())
        except RedisError as error:
            outage.redis.trip(error)

    def look(self) -> Standing | None:
        """Return how much is used; None when Redis is away or does not know."""
        try:
            units, tokens, today, *blocked = self._run("look")
        except RedisError:
            return None
        return Standing(units, tokens, today, blocked[0] / 1000) if units >= 0 else None

    def spent(self) -> list[Spent]:
        """Return what counts now, call by call; nothing when Redis is away. For forecasts: it is read in two steps."""
        log_key, amounts_key, *_ = self._keys("-")
        try:
            log_of: Any = self._client.zrange(log_key, 0, -1, withscores=True)
            amounts: Any = self._client.hgetall(amounts_key)
            now = self._now().timestamp() * 1000
        except RedisError:
            return []
        found = []
        for grant_id, moment in log_of:
            units, _, tokens = amounts.get(grant_id, b"0:0").decode().partition(":")
            free_in = (moment + self._window - now) / 1000
            if free_in > 0 and int(units):
                found.append(Spent(free_in, int(units), int(tokens)))
        return found

    def seconds_until_reset(self) -> float:
        """Return the seconds until the daily budgets start anew, by Redis's clock."""
        now = self._now()
        return (next_reset(now) - now).total_seconds()

    def _teach(self) -> None:
        """Tell a Redis without memory what the rows know."""
        history = self._history()
        log.info("throttle_learns", throttle=self.name, today=history.units_today, unknown_for=history.unknown_for)
        self._run("learn", int(history.unknown_for * 1000), history.units_today)

    def _now(self) -> datetime:
        """Return Redis's time: hosts' own clocks may differ, and the day must be the same for all."""
        if time.monotonic() >= self._offset_until:
            seconds, microseconds = self._client.time()
            self._offset = seconds + microseconds / 1e6 - time.time()
            self._offset_until = time.monotonic() + OFFSET_AGE
        return datetime.fromtimestamp(time.time() + self._offset, tz=UTC)

    def _day(self) -> str:
        """Return the quota day: the date in California."""
        return self._now().astimezone(QUOTA_ZONE).date().isoformat()

    def _keys(self, day: str = "") -> list[str]:
        prefix = f"throttle:{{{self.name}}}"
        return [f"{prefix}:log", f"{prefix}:amounts", f"{prefix}:day:{day or self._day()}", f"{prefix}:state"]

    def _run(self, command: str, *arguments: Any, day: str = "") -> list[int]:
        found: list[int] = self._script(keys=self._keys(day), args=[command, self._window, *arguments])
        return found

    def _quietly(self, command: str, *arguments: Any, day: str = "") -> None:
        try:
            self._run(command, *arguments, day=day)
        except RedisError as error:
            outage.redis.trip(error)
