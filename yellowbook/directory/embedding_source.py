"""What `embeddings` gets to know of businesses; named in the setting `EMBEDDING_SOURCE`."""

from collections.abc import Collection
from functools import reduce
from operator import add
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Length

from embeddings.source import SourceText
from yellowbook.directory.models import Business
from yellowbook.directory.text import TEXT_FIELDS, embedded_text

_LABELS = "SELECT id, name FROM directory_business WHERE id = ANY(%s)"

#: `FOR KEY SHARE` lets others go on saving the rows but not delete them.
_LOCK_CURRENT = "SELECT id, text_hash FROM directory_business WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE"


class BusinessTexts:
    """The texts of businesses by id; an `embeddings.source.TextSource`."""

    facets = ("status", "category", "city", "price_level")

    def texts(self, ids: Collection[UUID]) -> dict[UUID, SourceText]:
        """Return the current texts of those that exist, in one query."""
        businesses = Business.objects.filter(pk__in=ids).only(*TEXT_FIELDS, "text_hash")
        return {
            business.pk: SourceText(text=embedded_text(business), text_hash=business.text_hash, label=business.name)
            for business in businesses
        }

    def labels(self, ids: Collection[UUID]) -> dict[UUID, str]:
        """Return the names of those that exist, in one query."""
        with connection.cursor() as cursor:
            cursor.execute(_LABELS, [list(ids)])
            return dict(cursor.fetchall())

    def lock_current(self, ids: Collection[UUID]) -> dict[UUID, str]:
        """Return the current text hashes and keep the rows from being deleted until the transaction ends.

        Rows are locked in the order of their ids, so that callers wait for each other instead of deadlocking.
        """
        with connection.cursor() as cursor:
            cursor.execute(_LOCK_CURRENT, [list(ids)])
            return dict(cursor.fetchall())

    def subjects(self, **filters: str) -> QuerySet[Business]:
        """Return every business, whatever its status: all of them are embedded. `filters` are exact field values."""
        return Business.objects.filter(**filters)

    def text_length(self) -> Combinable:
        """Return the characters of the embedded text: of its fields, and of the line feeds between them."""
        lengths: list[Combinable] = [Length(field) for field in TEXT_FIELDS]
        return reduce(add, lengths, Value(len(TEXT_FIELDS) - 1))


source = BusinessTexts()
