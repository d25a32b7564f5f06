"""What the directory tells other features: which businesses were written, in the transaction that writes them."""

from collections.abc import Collection, Sequence
from uuid import UUID

from django.dispatch import Signal

#: Businesses were added or changed: `ids`, `fields`, the names of those that may have changed (None: any), and
#: `created`: all of them are new.
businesses_written = Signal()
#: Businesses are about to be deleted: `ids`. Their rows are still there, locked.
businesses_deleted = Signal()


def tell_written(ids: Sequence[UUID], fields: Collection[str] | None = None, *, created: bool = False) -> None:
    """Send `businesses_written`; call it in the transaction that wrote the rows."""
    if ids:
        businesses_written.send(None, ids=list(ids), fields=fields, created=created)


def tell_deleted(ids: Sequence[UUID]) -> None:
    """Send `businesses_deleted`; call it in the transaction that deletes the rows, before it does."""
    if ids:
        businesses_deleted.send(None, ids=list(ids))
