"""What `embeddings` asks of the product: the texts of its subjects.

The product names an object in the setting `EMBEDDING_SOURCE`; that is all this package knows of a business, but for one
string foreign key.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol, cast
from uuid import UUID

from django.conf import settings
from django.db.models import Model, QuerySet
from django.db.models.expressions import Combinable
from django.utils.module_loading import import_string


@dataclass(frozen=True, slots=True)
class SourceText:
    """The text of one subject, the hash that identifies it, and a label for people."""

    text: str
    text_hash: str
    label: str


class TextSource(Protocol):
    """Gives texts by id. Ids of subjects that are gone are left out of every answer."""

    @property
    def facets(self) -> Sequence[str]:
        """Fields of a subject by which neighbours are narrowed (`embeddings.nearest`): texts and whole numbers.

        Whoever changes one of them tells it (`embeddings.sketches.changes`).
        """

    def texts(self, ids: Collection[UUID]) -> dict[UUID, SourceText]:
        """Return the current texts, in one query."""

    def labels(self, ids: Collection[UUID]) -> dict[UUID, str]:
        """Return what people call the subjects, in one query."""

    def lock_current(self, ids: Collection[UUID]) -> dict[UUID, str]:
        """Return the current text hashes, keeping the rows from being deleted until the transaction ends."""

    def subjects(self, **filters: str) -> QuerySet[Model]:
        """Return all subjects that should have a vector, or those with such fields; rows have `id` and `text_hash`."""

    def text_length(self) -> Combinable:
        """Return an expression on subjects: the characters of the text."""


@cache
def text_source() -> TextSource:
    """Return the installed source."""
    return cast(TextSource, import_string(settings.EMBEDDING_SOURCE))
