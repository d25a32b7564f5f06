"""Doing it now: for as many rows as a person waits for."""

from typing import Any, Final

from django.db.models import QuerySet

from jobs.bulk.actions import Action, Asked, Outcome, Written
from jobs.wake import wake

#: Rows that one transaction changes.
CHUNK: Final = 500
#: The most rows that are changed while a person waits.
AT_ONCE: Final = 1_000


def is_much(rows: QuerySet[Any]) -> bool:
    """Tell whether there are more rows than a person waits for."""
    return rows.order_by()[: AT_ONCE + 1].count() > AT_ONCE


def do(action: Action, rows: QuerySet[Any], asked: Asked, written: Written | None = None) -> Outcome:
    """Do it to all rows, each once however many people ask at once.

    Works in transactions of `CHUNK` rows: what is done stays done when a later one fails, and asking again goes on.
    """
    outcome = Outcome()
    try:
        ids, cursor = action.keyset.page(rows, "", CHUNK)
        while ids:
            outcome += action.apply(ids, asked, written)
            ids, cursor = action.keyset.page(rows, cursor, CHUNK)
    finally:
        for kind in outcome.kinds:
            wake(kind)
    return outcome
