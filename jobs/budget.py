"""The part of a throttle's budget that one turn of a lane may spend."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, takewhile

import structlog
from redis import RedisError

from jobs.kinds import Kind
from jobs.throttle import Grant, Throttle
from jobs.throttle.throttle import WITHOUT_REDIS

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Cost:
    """What one text costs: a unit, and its tokens. Urgent ones may use the reserve."""

    tokens: int
    urgent: bool = False


class Budget:
    """Units reserved before a claim, spent by the handler, and given back where they were not needed.

    A lane without a throttle, or with one without limits, has as much as it wants.
    """

    def __init__(self, throttle: Throttle | None, grant: Grant | None) -> None:
        self._throttle = throttle
        self._grant = grant
        #: Seconds until there may be more, when there was too little; 0 when there was enough.
        self.short_for = grant.wait if grant else 0.0

    @classmethod
    def open(cls, kind: Kind, wanted: int) -> "Budget":
        """Reserve up to `wanted` units of the kind's throttle."""
        return cls.of(kind.throttle(), wanted)

    @classmethod
    def of(cls, throttle: Throttle | None, wanted: int) -> "Budget":
        """Reserve up to `wanted` units of a throttle."""
        if throttle is None or throttle.limits.unlimited:
            return cls(None, None)
        return cls(throttle, throttle.reserve(wanted))

    @property
    def units(self) -> int | None:
        """Units that may be spent; None: any number."""
        return None if self._grant is None else self._grant.units

    @property
    def ordinary(self) -> int | None:
        """Units of them that jobs of other priorities than `high` may spend; None: any number."""
        return None if self._grant is None else self._grant.ordinary

    def keep(self, units: int) -> bool:
        """Give back all but `units`; return whether any were given back."""
        if self._throttle is None or self._grant is None or units >= self._grant.units:
            return False
        self._throttle.refund(self._grant, kept=units)
        self._grant = replace(self._grant, units=units, ordinary=min(units, self._grant.ordinary))
        return True

    def take(self, costs: Sequence[Cost]) -> int:
        """Count what is about to be sent, in this order; return how many of them may be sent now.

        The rest has to wait `short_for` seconds; their units are given back.
        """
        if self._throttle is None or self._grant is None:
            return len(costs)
        wanted = costs[: self._grant.units]
        try:
            taken = self._tokens(self._throttle, self._grant, wanted)
        except (RedisError, LookupError) as error:
            log.warning("budget_lost", throttle=self._throttle.name, error=type(error).__name__)
            taken, self.short_for = 0, WITHOUT_REDIS
        self.keep(taken)
        return taken

    def _tokens(self, throttle: Throttle, grant: Grant, wanted: Sequence[Cost]) -> int:
        """Spend the tokens of the longest beginning of `wanted` that fits; first without the reserve, then with it."""
        urgent = list(takewhile(lambda cost: cost.urgent, wanted))
        for costs, use_reserve in ((wanted, len(urgent) == len(wanted)), (urgent, True)):
            taken = self._longest(throttle, grant, costs, use_reserve=use_reserve)
            if taken:
                return taken
        return 0

    def _longest(self, throttle: Throttle, grant: Grant, costs: Sequence[Cost], *, use_reserve: bool) -> int:
        """Spend the tokens of the longest beginning of `costs` that fits; at the least, try the first one alone."""
        beginning, first = costs, costs[:1]
        while beginning:
            tokens = sum(cost.tokens for cost in beginning)
            done, room, wait = throttle.spend(grant, tokens, texts=len(beginning), use_reserve=use_reserve)
            if done:
                return len(beginning)
            self.short_for = wait
            if len(beginning) == 1:
                break
            beginning = _prefix(beginning, room) or first
        return 0

    def done(self) -> None:
        """Start the window of what was sent: the call has ended."""
        if self._throttle is not None and self._grant is not None and self._grant.units:
            self._throttle.done(self._grant)

    def block(self, seconds: float) -> None:
        """Have everybody wait: the provider refused in spite of the budget."""
        if self._throttle is not None:
            self._throttle.block(seconds)


def _prefix(costs: Sequence[Cost], room: int) -> Sequence[Cost]:
    """Return the longest beginning of `costs` whose tokens fit into `room`."""
    fitting = 0
    for total in accumulate(cost.tokens for cost in costs):
        if total > room:
            break
        fitting += 1
    return costs[:fitting]
