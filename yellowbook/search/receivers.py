"""Keeping the index up to date with what others write; the rules are in `index`."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from django.dispatch import receiver

from embeddings.signals import vectors_stored
from yellowbook.directory.changes import businesses_deleted, businesses_written
from yellowbook.search.index import FIELDS, index
from yellowbook.search.version import note_change


@receiver(businesses_written)
def index_written(ids: Sequence[UUID], fields: Collection[str] | None, created: bool, **_: Any) -> None:
    """Index what was written, if it matters."""
    if fields is None or not FIELDS.isdisjoint(fields):
        index(ids, created=created)


@receiver(businesses_deleted)
def note_deleted(**_: Any) -> None:
    """Outdate what was found before; the documents go with their businesses."""
    note_change()


@receiver(vectors_stored)
def note_vectors(business_ids: Sequence[UUID], **_: Any) -> None:
    """Outdate what was found before: what is near has changed."""
    if business_ids:
        note_change()
