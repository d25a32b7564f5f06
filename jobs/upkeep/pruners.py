"""What may be deleted once it is old enough. An app declares its own in a `retention.py`:

register(Pruner("visits", lambda: settings.RETENTION_VISITS_DAYS, delete_visits))
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from django.db import transaction

log = structlog.get_logger(__name__)

#: Rows that one transaction deletes.
BATCH = 1_000
#: Seconds that one round may take; the rest waits for the next one.
ROUND = 60.0

#: Deletes up to `limit` rows that are older than so many seconds and returns how many; gets a transaction of its own.
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
    """Delete what is old, in small batches, for `ROUND` seconds at most; return how many rows of each sort went.

    A pruner that fails keeps no other from its turn; what it raised is raised at the end.
    """
    until = clock() + ROUND
    gone: dict[str, int] = {}
    failure: Exception | None = None
    for pruner in _pruners.values():
        try:
            gone[pruner.name] = _prune(pruner, lambda: clock() < until)
        except Exception as error:
            log.exception("pruner_failed", pruner=pruner.name)
            failure = failure or error
    gone = {name: number for name, number in gone.items() if number}
    if gone:
        log.info("pruned", **gone)
    if failure is not None:
        raise failure
    return gone


def _prune(pruner: Pruner, may_go_on: Callable[[], bool]) -> int:
    """Delete batch by batch until there is no more, or no more time; return how many rows went."""
    days = pruner.days()
    gone = 0
    while days and may_go_on():
        with transaction.atomic():
            number = pruner.delete(days * 86_400, BATCH)
        gone += number
        if number < BATCH:
            break
    return gone
