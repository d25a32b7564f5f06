"""What a provider allows."""

import math
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

#: Google's quotas per day start anew at midnight Pacific time (ai.google.dev/gemini-api/docs/rate-limits).
QUOTA_ZONE = ZoneInfo("America/Los_Angeles")


def next_reset(now: datetime) -> datetime:
    """Return the coming midnight Pacific time; `now` must be aware."""
    tomorrow = now.astimezone(QUOTA_ZONE).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time.min, tzinfo=QUOTA_ZONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Budgets; 0 means unlimited. A unit is what the provider counts as a request: for Gemini every TEXT of a batch."""

    units_per_minute: int = 0
    tokens_per_minute: int = 0
    units_per_day: int = 0
    #: Share of each budget, 0 to 1, that only priority `high` may spend; at least one unit.
    reserve: float = 0.05
    #: Part of that share, 0 to 1, that is for somebody else, and that none of the work counted here may spend.
    withheld: float = 0.0

    @property
    def unlimited(self) -> bool:
        """Whether there is nothing to keep count of."""
        return not (self.units_per_minute or self.tokens_per_minute or self.units_per_day)

    def allowed(self, limit: int) -> int:
        """Return how much of a budget of `limit` may be spent at all; 0 stays 0, unlimited."""
        return limit - self._withheld(limit)

    def reserved(self, limit: int) -> int:
        """Return how much of what is allowed of a budget of `limit` ordinary work leaves alone."""
        return max(0, _part(limit, self.reserve) - self._withheld(limit))

    def _withheld(self, limit: int) -> int:
        # Rounded down: of a small budget the whole reserve is for both.
        return int(limit * self.withheld)


def _part(limit: int, share: float) -> int:
    """Return a share of a budget, at least one unit; none of a budget of a single unit."""
    return min(limit, math.ceil(limit * share)) if limit > 1 else 0
