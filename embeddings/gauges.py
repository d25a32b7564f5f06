"""How well businesses are covered by vectors, and what is left of the provider's budget.

Counting all businesses is too dear for every look, and a Redis that does not answer must not hold one up.
"""

from embeddings.quota import impatient_throttle
from embeddings.selectors import coverage
from jobs.history.gauges import Gauge, register

#: Its name, and the labels of its values.
COVERAGE = "embedding_coverage"
TOTAL, PRESENT, STALE = "total", "present", "stale"


def _read() -> dict[str, float]:
    now = coverage()
    return {TOTAL: now["total"], PRESENT: now["with_embeddings"], STALE: now["stale"]}


#: Its name, and the labels of its values: what is left of each budget that there is, and seconds to the day's end.
BUDGET = "provider_budget"
TEXTS, TOKENS, TODAY, RESET = "texts", "tokens", "today", "reset"


def _read_budget() -> dict[str, float]:
    throttle = impatient_throttle()
    limits = throttle.limits
    standing = None if limits.unlimited else throttle.look()
    if standing is None:
        return {}
    left: dict[str, float] = {}
    if limits.units_per_minute:
        left[TEXTS] = max(0, limits.units_per_minute - standing.units_this_minute)
    if limits.tokens_per_minute:
        left[TOKENS] = max(0, limits.tokens_per_minute - standing.tokens_this_minute)
    if limits.units_per_day:
        left |= {
            TODAY: max(0, limits.units_per_day - standing.units_today),
            RESET: throttle.seconds_until_reset(),
        }
    return left


register(Gauge(COVERAGE, _read))
register(Gauge(BUDGET, _read_budget))
