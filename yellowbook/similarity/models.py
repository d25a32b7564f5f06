"""Similar businesses as they were computed, and what is to be computed anew."""

from typing import Any, Final

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Now

#: Arrays of a row that go together, entry by entry.
PARTS: Final = ("scores", "semantic", "context")


class RealField(models.FloatField[float, float]):
    """A number of single precision: seven digits, 4 bytes."""

    def db_type(self, connection: Any) -> str:
        """Return the column's type."""
        return "real"


def _length(field: str) -> Func:
    return Func(F(field), function="cardinality", output_field=models.IntegerField())


class Similarity(models.Model):
    """The businesses most like one business, the most alike first: one row for all of them.

    Who may see it is for readers to decide (`selectors`): a neighbour may have been deleted or unpublished since.
    A row for each business, and not for each pair, because all of them are written anew at once, 100,000 in seconds.
    """

    business = models.OneToOneField(
        "directory.Business", on_delete=models.CASCADE, primary_key=True, related_name="similarity"
    )
    #: Whose vectors were compared.
    model = models.CharField(max_length=100)
    neighbours = ArrayField(models.UUIDField())
    #: 0.9 x `semantic` + 0.1 x `context` of each.
    scores = ArrayField(RealField())
    #: Cosine of the angle between both vectors, -1 to 1.
    semantic = ArrayField(RealField())
    #: See `context`, 0 to 1.
    context = ArrayField(RealField())
    #: Businesses that it was compared with.
    candidates = models.PositiveIntegerField()
    #: What changed later is not in it.
    computed_at = models.DateTimeField()
    #: When it is computed anew though nothing changed that is known to concern it.
    next_compute_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "similarities"
        constraints = [
            models.CheckConstraint(
                condition=Q(*((f"{part}__len", _length("neighbours")) for part in PARTS)),
                name="similarity_parts_go_together",
            )
        ]
        # Who lists a business. Not on the times: a row whose neighbours stay the same is then rewritten in place.
        indexes = [GinIndex(fields=["neighbours"], name="similarity_neighbours")]

    def __str__(self) -> str:
        return f"similar to {self.business_id}"


class Mark(models.Model):
    """Something changed about a business: its similar businesses are to be computed anew.

    Written in the transaction of the change, never updated and referring to nothing, so that it makes nobody wait. Two
    about one business are as good as one. What is marked is made a job by the leader (`marks.start_due`).
    """

    id = models.BigAutoField(primary_key=True)
    business_id = models.UUIDField()
    #: Its category at the time: the subject of the job.
    category = models.CharField(max_length=100)
    #: Whether it concerns those too that list the business.
    listed = models.BooleanField(db_default=False)
    #: The run that asks for it, whose own job it waits for; None for everything else.
    run_id = models.UUIDField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    #: The transaction of the change (`xid8`): tells for certain who can't have seen it.
    transaction = models.BigIntegerField(
        db_default=Func(
            Func(function="pg_current_xact_id", output_field=models.TextField()),
            template="%(expressions)s::text::bigint",
            output_field=models.BigIntegerField(),
        )
    )
    #: When those who list it were told. Kept for a while, for computations that were under way at that time.
    told_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["category", "created_at"], condition=Q(told_at=None), name="similarity_mark_open"),
            models.Index(fields=["business_id"], condition=Q(told_at=None), name="similarity_mark_business"),
            models.Index(fields=["told_at"], condition=Q(told_at__isnull=False), name="similarity_mark_told"),
        ]

    def __str__(self) -> str:
        return f"mark on {self.business_id}"
