"""How well the businesses are covered by vectors; shared by API, admin and metrics."""

from typing import Any

from django.db.models import BooleanField, Case, CharField, Count, Exists, Max, Min, OuterRef, QuerySet, Subquery, When
from django.db.models.functions import Cast, Extract, Now

from embeddings.current import current_model
from embeddings.kinds import GENERATE_EMBEDDING
from embeddings.models import Embedding
from embeddings.source import text_source
from jobs.models import JobExecution
from jobs.states import WAITING


def with_state(subjects: QuerySet[Any], model: str | None = None) -> QuerySet[Any]:
    """Annotate subjects with `has_vector` (by the current model) and `is_stale` (a vector, but no fresh one)."""
    of_subject = Embedding.objects.filter(business_id=OuterRef("pk"))
    current = of_subject.filter(model=model or current_model())
    return subjects.annotate(
        has_vector=Exists(current),
        is_fresh=Exists(current.filter(text_hash=OuterRef("text_hash"))),
        has_any_vector=Exists(of_subject),
        is_stale=Case(
            When(is_fresh=False, has_any_vector=True, then=True), default=False, output_field=BooleanField()
        ),
    )


def coverage() -> dict[str, Any]:
    """Return the answer of `/api/admin/embeddings/stats`.

    `with_embeddings` counts the businesses that have a vector by the model in use; `stale` those whose only vectors are of
    an older text or of another model.
    """
    total = text_source().subjects().count()
    by_model = [
        {"model": row["model"], "count": row["count"], "newest": row["newest"]}
        for row in Embedding.objects.values("model").annotate(count=Count("id"), newest=Max("created_at")).order_by("model")
    ]
    covered = sum(row["count"] for row in by_model if row["model"] == current_model())
    return {
        "model": current_model(),
        "total": total,
        "with_embeddings": covered,
        "without_embeddings": total - covered,
        "stale": with_state(text_source().subjects()).filter(is_stale=True).count(),
        "coverage_percentage": round(100 * covered / total, 2) if total else 100.0,
        "oldest_waiting_seconds": oldest_waiting_seconds(),
        "by_model": by_model,
    }


def oldest_waiting_seconds() -> float | None:
    """Return how long the oldest waiting embedding job has existed; None when none waits."""
    age: Any = JobExecution.objects.filter(kind=GENERATE_EMBEDDING, status__in=WAITING).aggregate(
        age=Extract(Now() - Min("created_at"), "epoch")
    )["age"]
    return None if age is None else round(float(age), 3)


def not_fresh(model: str | None = None) -> QuerySet[Any]:
    """Return the subjects without a vector of their present text by the model in use."""
    return with_state(text_source().subjects(), model).filter(is_fresh=False)


def latest_job_status() -> Subquery:
    """Return a subquery for the status of a subject's newest embedding job; use it on subjects."""
    return Subquery(
        JobExecution.objects.filter(kind=GENERATE_EMBEDDING, subject=Cast(OuterRef("pk"), CharField()))
        .order_by("-created_at")
        .values("status")[:1]
    )

