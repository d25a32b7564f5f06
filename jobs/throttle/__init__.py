"""The shared budget towards a provider: units and tokens per minute, units per day.

limits     what a provider allows
throttle   the budget itself: reserve, spend, refund, block
budget.lua the arithmetic, atomic in Redis
"""

from jobs.throttle.limits import Limits
from jobs.throttle.throttle import Grant, History, Standing, Throttle

__all__ = ["Grant", "History", "Limits", "Standing", "Throttle"]
