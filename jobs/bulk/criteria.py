"""Which rows a bulk action is about, in a form that can be stored: {door: what it says}.

`ids` names them by primary key. Every other door belongs to a list with filters, keeps these in its own words (the
parameters of an address, the fields of a request), and is declared by whoever understands them.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.contrib.admin import autodiscover
from django.db.models import QuerySet

from jobs.bulk.actions import Action, action_of
from jobs.models import BulkAction

Criteria = Mapping[str, Any]

#: The door for rows that were chosen one by one.
IDS = "ids"

_doors: dict[str, Callable[[Action, Any], QuerySet[Any]]] = {
    IDS: lambda action, ids: action.model._default_manager.filter(pk__in=ids)
}


def door(name: str, read: Callable[[Action, Any], QuerySet[Any]]) -> None:
    """Declare who understands the criteria of a door."""
    _doors[name] = read


def by_ids(ids: Sequence[Any]) -> Criteria:
    """Return the criteria for rows with these primary keys."""
    return {IDS: [str(pk) for pk in ids]}


def rows_of(bulk: BulkAction) -> QuerySet[Any]:
    """Return the rows that a bulk action is about, as they are now. `LookupError` for a door that nobody declares."""
    action = action_of(bulk)
    ((name, said),) = bulk.criteria.items()
    if name not in _doors:
        # Those of pages are declared with the pages, which a worker has not loaded.
        autodiscover()
    try:
        rows = _doors[name](action, said)
    except KeyError:
        raise LookupError(f"nobody understands criteria of {name!r}") from None
    return action.keyset.until(rows, bulk.up_to) if bulk.up_to else rows
