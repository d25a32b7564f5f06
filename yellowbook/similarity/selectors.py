"""Reading similar businesses: only those that everybody may see, whatever happened since they were computed."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db.models import Min

from yellowbook.directory.models import Business
from yellowbook.directory.selectors import published
from yellowbook.similarity.models import Mark, Similarity


@dataclass(frozen=True, slots=True)
class Similar:
    """A similar business."""

    business: Business
    #: 0.9 x `semantic` + 0.1 x `context`.
    score: float
    semantic: float
    context: float


@dataclass(frozen=True, slots=True)
class SimilarOnes:
    """The businesses similar to one, the most similar first."""

    results: list[Similar] = field(default_factory=list)
    #: None before anything was computed.
    computed_at: datetime | None = None
    #: In the past when it is waiting; None when nothing is planned.
    next_compute_at: datetime | None = None
    #: With how many businesses it was compared.
    candidates: int = 0


def similar_to(business_id: UUID, *, limit: int) -> SimilarOnes:
    """Return up to `limit` similar businesses; three queries, whatever their number."""
    open_marks = Mark.objects.filter(business_id=business_id, told_at=None, run_id=None)
    marked_at = open_marks.aggregate(first=Min("created_at"))["first"]
    row = Similarity.objects.filter(business_id=business_id).first()
    if row is None:
        return SimilarOnes(next_compute_at=marked_at)
    there = published().in_bulk(row.neighbours)
    listed = zip(row.neighbours, row.scores, row.semantic, row.context, strict=True)
    results = [Similar(there[each], *parts) for each, *parts in listed if each in there]
    planned = [row.next_compute_at, *([marked_at] if marked_at else [])]
    return SimilarOnes(results[:limit], row.computed_at, min(planned), row.candidates)
