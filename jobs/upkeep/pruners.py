"""What may be deleted once it is old enough. An app declares its own in a `retention.py`:

register(Pruner("visits", lambda: settings.RETENTION_VISITS_DAYS, delete_visits))
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

log = structlog.get_logger(__name__)

#: Rows that one transaction deletes.
BATCH = 1_000
#: Seconds that one round may take; the rest waits for the next one.
ROUND = 60.0

#: Deletes up to `limit` rows that are older than so many seconds, in a transaction of its own; returns how many.
Delete = Callable[[float, int], int]


@dataclass(frozen=True, slots=True)
class Pruner:
    """One sort of rows."""

    name: str
    #: Days for which a row is kept; 0: for ever.
    days: Callable[[], float]
    delete: Delete


_pruners: dict[str, Pruner] = {}


def register(pruner: Pruner) -> Pruner:
    """Make a pruner known; names are unique, and pruners run in the order in which they were declared."""
    if _pruners.setdefault(pruner.name, pruner) is not pruner:
        raise ValueError(f"a pruner named {pruner.name!r} is already declared")
    return pruner


def prune(*, clock: Callable[[], float] = time.monotonic) -> dict[str, int]:
    """Delete what is old, in small batches, for `ROUND` seconds at most; return how many rows of each sort went."""
    until = clock() + ROUND
    gone: dict[str, int] = {}
    for pruner in _pruners.values():
        days = pruner.days()
        if not days:
            continue
        while clock() < until:
            number = pruner.delete(days * 86_400, BATCH)
            gone[pruner.name] = gone.get(pruner.name, 0) + number
            if number < BATCH:
                break
    gone = {name: number for name, number in gone.items() if number}
    if gone:
        log.info("pruned", **gone)
    return gone
