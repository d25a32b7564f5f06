"""How far a bulk action has come, read from its one row."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext

from jobs import clock
from jobs.models import BulkAction


@dataclass(frozen=True, slots=True)
class Progress:
    """Figures for people; rows are counted, times are seconds."""

    processed: int
    #: Rows that are still to be looked at.
    left: int
    #: Rows that matched when it was asked for and did not any more when their turn came; known at the end.
    gone: int
    percentage: float
    elapsed_seconds: float
    #: Rows a second, from its first batch on; None before the first one.
    rate: float | None
    eta_seconds: float | None


def progress_of(bulk: BulkAction, now: datetime | None = None) -> Progress:
    """Return the figures of a bulk action; `now` spares the question to the database."""
    processed = bulk.done + bulk.skipped
    left = max(0, bulk.total - processed)
    elapsed = 0.0
    if bulk.started_at is not None:
        elapsed = max(0.0, ((bulk.finished_at or now or clock.now()) - bulk.started_at).total_seconds())
    rate = processed / elapsed if processed and elapsed else None
    over = bulk.state == BulkAction.State.DONE
    share = 1.0 if over or not bulk.total else min(1.0, processed / bulk.total)
    return Progress(
        processed=processed,
        left=0 if over else left,
        gone=left if over else 0,
        percentage=round(100 * share, 1),
        elapsed_seconds=elapsed,
        rate=rate,
        eta_seconds=left / rate if rate and bulk.is_under_way else None,
    )


#: Values of one name that are written out; of more the number is told.
_FEW = 3
#: Parameters of filters whose values are words of known sets.
_WORDS = frozenset({"state", "status", "operation", "error_class"})


def criteria_in_words(bulk: BulkAction) -> list[tuple[str, str]]:
    """Return what chose the rows, as (name, value)."""
    ((_door, said),) = bulk.criteria.items()
    if not isinstance(said, dict):
        return [(gettext("selected"), _in_words("selected", said))]
    return [(told_parameter(name), _in_words(name, value)) for name, value in said.items()]


def told_parameter(name: str) -> str:
    """Return what a parameter of a filter is about; one that is not compared as a whole is left as it is."""
    column, _, lookup = name.partition("__")
    if lookup not in {"", "exact", "id__exact"}:
        return name
    return gettext(column.replace("_", " "))


def told_value(name: str, value: str) -> str:
    """Return the value of a parameter: a state or another known word in the reader's language, else as it is."""
    return gettext(value) if name.partition("__")[0] in _WORDS else value


def _in_words(name: str, value: Any) -> str:
    if not isinstance(value, list):
        return told_value(name, str(value))
    return ", ".join(told_value(name, str(each)) for each in value) if len(value) <= _FEW else f"{len(value):,}"
