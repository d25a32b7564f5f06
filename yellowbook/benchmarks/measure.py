"""Timing and summing up."""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value, what it is held against, and the limit, all in `unit`; None where there is none."""

    name: str
    value: float
    unit: str
    reference: float | None = None
    limit: float | None = None

    @property
    def holds(self) -> bool | None:
        """Whether the value is within its limit; None without one."""
        return None if self.limit is None else self.value <= self.limit


def milliseconds(act: Callable[[], object]) -> float:
    """Return how long one call takes, in milliseconds."""
    started = time.perf_counter()
    act()
    return (time.perf_counter() - started) * 1000
