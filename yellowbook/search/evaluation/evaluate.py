"""Every query by every ranking."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from embeddings.current import current_model
from jobs.shared import shared
from yellowbook.directory.models import Business
from yellowbook.search.evaluation.measures import ndcg, percentile, recall
from yellowbook.search.evaluation.slips import slipped
from yellowbook.search.filters import Filters
from yellowbook.search.rank import Ranking, rank
from yellowbook.search.search import normalised

#: The kind of query that the slips of the pen are.
SLIPS = "slips in names"


@dataclass(frozen=True, slots=True)
class Query:
    """A query, and the categories of businesses that answer it."""

    text: str
    kind: str
    categories: frozenset[str]

    @classmethod
    def read(cls, given: Any) -> "Query":
        """Read an entry of a file of queries; raises `ValueError` that says what is wrong with it."""
        if not isinstance(given, dict) or not {"text", "categories"} <= given.keys():
            raise ValueError("expected a list of objects with `text` and `categories` (and `kind`)")
        return cls(str(given["text"]), str(given.get("kind", "query")), frozenset(map(str, given["categories"])))


@dataclass(slots=True)
class Measured:
    """What one ranking made of the queries of one kind."""

    queries: int = 0
    ndcg: float = 0.0
    recall: float = 0.0
    #: Share of queries whose first result is right; only for `SLIPS`.
    first: float | None = None


@dataclass(slots=True)
class Evaluation:
    """What all rankings made of all queries."""

    model: str
    businesses: int
    #: By ranking, then by kind; the kind "all" is the mean over the judged queries.
    measured: dict[str, dict[str, Measured]] = field(default_factory=dict)
    #: Milliseconds of a fused ranking, nothing kept from before: median and 99th percentile.
    p50: float = 0.0
    p99: float = 0.0


def evaluate(queries: Sequence[Query]) -> Evaluation:
    """Measure the rankings on the directory as it is."""
    businesses = list(Business.objects.only("id", "name", "category"))
    categories = {business.pk: business.category for business in businesses}
    names = {business.pk: business.name for business in businesses}
    typed = list(slipped(set(names.values())))
    evaluation = Evaluation(current_model(), len(businesses))
    took: list[float] = []
    with shared.off():
        for using in Ranking:
            of_kind = evaluation.measured[using.value] = {}
            for query in queries:
                started = time.perf_counter()
                hits = rank(normalised(query.text), Filters(), using=using).hits
                if using is Ranking.FUSED:
                    took.append((time.perf_counter() - started) * 1000)
                relevant = [categories[hit.business_id] in query.categories for hit in hits]
                total = sum(category in query.categories for category in categories.values())
                for kind in (query.kind, "all"):
                    measured = of_kind.setdefault(kind, Measured())
                    measured.queries += 1
                    measured.ndcg += ndcg(relevant, total)
                    measured.recall += recall(relevant, total)
            for measured in of_kind.values():
                measured.ndcg /= measured.queries
                measured.recall /= measured.queries
            right = sum(_first_name(text, using, names) == name for name, text in typed)
            of_kind[SLIPS] = Measured(len(typed), first=right / max(1, len(typed)))
    evaluation.p50, evaluation.p99 = percentile(took, 0.5), percentile(took, 0.99)
    return evaluation


def _first_name(text: str, using: Ranking, names: Mapping[UUID, str]) -> str:
    """Return the name of what comes first; two businesses of one name are equally right."""
    hits = rank(normalised(text), Filters(), using=using).hits
    return names[hits[0].business_id] if hits else ""
