"""What searching by words needs: the words of every published business, all words there are, and a count of changes."""

from typing import Final, LiteralString

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models.expressions import RawSQL

#: What documents are narrowed by, in one array: an index that has it beside the words finds only what is asked for,
#: where one of words alone has every restaurant looked at for the one in Khovd.
FACETS: Final[LiteralString] = "ARRAY[category::text, city::text, price_level::text]"


class Document(models.Model):
    """The words of a published business; one that is not published has none, so nothing here finds it.

    Kept apart from the business: the index is large and dear to write, and most saves of a business change none of it.
    """

    business = models.OneToOneField(
        "directory.Business", on_delete=models.CASCADE, primary_key=True, related_name="search_document"
    )
    #: Terms (`yellowbook.search.words`) with their weights: A name, B category, C city and address, D the rest.
    words = SearchVectorField()
    #: The terms of the name, in order.
    name_terms = ArrayField(models.CharField(max_length=80))
    category = models.CharField(max_length=100)
    city = models.CharField(max_length=100)
    price_level = models.PositiveSmallIntegerField(null=True)
    #: Names of tags, as a feature tells them (`yellowbook.directory.descriptions`).
    tags = ArrayField(models.CharField(max_length=40), db_default=[])
    #: Of the text that the words were taken from.
    text_hash = models.CharField(max_length=64)

    class Meta:
        indexes = [
            GinIndex("words", RawSQL(FACETS, ()), name="search_document_narrowed"),  # noqa: S611 a constant
            GinIndex(fields=["tags"], name="search_document_tags"),
        ]

    def __str__(self) -> str:
        return f"words of {self.business_id}"


class Term(models.Model):
    """A word that occurs in documents."""

    term = models.CharField(max_length=80, primary_key=True)
    #: Documents that it occurs in, as last counted.
    documents = models.PositiveIntegerField(default=1)
    #: Hashes of the keys under which words meet that are a slip of the pen apart; none for words of descriptions alone.
    slips = ArrayField(models.IntegerField(), default=list)

    class Meta:
        indexes = [GinIndex(fields=["slips"], name="search_term_slips")]

    def __str__(self) -> str:
        return str(self.term)


class Change(models.Model):
    """Changes of what searches find; their sum is the index's version.

    A row is added in the transaction that makes a change, so that nobody waits for anybody; the leader merges the rows,
    which leaves the sum as it is.
    """

    changes = models.PositiveBigIntegerField(default=1)

    def __str__(self) -> str:
        return f"{self.changes} changes"
