"""How well the businesses are covered by vectors; shared by API, admin and metrics."""

from typing import Any

from django.db import connection
from django.db.models import (
    BooleanField,
    Case,
    CharField,
    Count,
    Exists,
    FloatField,
    Func,
    Max,
    OuterRef,
    QuerySet,
    Subquery,
    When,
)
from django.db.models.functions import Cast
from django.utils.translation import gettext as _

from embeddings.current import current_model
from embeddings.kinds import GENERATE_EMBEDDING
from embeddings.models import Embedding
from embeddings.source import text_source
from jobs.models import JobExecution
from jobs.states import WAITING, Status


def with_state(subjects: QuerySet[Any], model: str | None = None) -> QuerySet[Any]:
    """Annotate subjects with `has_vector` and `is_stale` (a vector, but no fresh one).

    Both are about `model`, else about the one that serves.
    """
    of_subject = Embedding.objects.filter(business_id=OuterRef("pk"))
    current = of_subject.filter(model=model or current_model())
    annotated: QuerySet[Any] = subjects.annotate(
        has_vector=Exists(current),
        is_fresh=Exists(current.filter(text_hash=OuterRef("text_hash"))),
        has_any_vector=Exists(of_subject),
        is_stale=Case(When(is_fresh=False, has_any_vector=True, then=True), default=False, output_field=BooleanField()),
        job_status=_latest_job_status(),
    )
    return annotated


def stale(subjects: QuerySet[Any], model: str) -> QuerySet[Any]:
    """Return the subjects that have a vector, but none by `model` of their present text."""
    of_subject = Embedding.objects.filter(business_id=OuterRef("pk"))
    # As conditions, not as columns: PostgreSQL joins the tables once instead of looking each subject up.
    found: QuerySet[Any] = subjects.filter(Exists(of_subject)).exclude(
        Exists(of_subject.filter(model=model, text_hash=OuterRef("text_hash")))
    )
    return found


def coverage() -> dict[str, Any]:
    """Return the answer of `/api/admin/embeddings/stats`.

    `with_embeddings` counts the businesses that have a vector by the model in use; `stale` those whose only vectors
    are of an older text or of another model.
    """
    model = current_model()
    total = text_source().subjects().count()
    by_model = [
        {"model": row["model"], "count": row["count"], "newest": row["newest"]}
        for row in Embedding.objects.values("model")
        .annotate(count=Count("id"), newest=Max("created_at"))
        .order_by("model")
    ]
    covered = sum(row["count"] for row in by_model if row["model"] == model)
    return {
        "model": model,
        "total": total,
        "with_embeddings": covered,
        "without_embeddings": total - covered,
        "stale": stale(text_source().subjects(), model).count(),
        "coverage_percentage": round(100 * covered / total, 2) if total else 100.0,
        "oldest_waiting_seconds": oldest_waiting_seconds(),
        "by_model": by_model,
    }


#: What waits is few and has an index; asked for the first one directly, PostgreSQL walks over all jobs by their age.
_OLDEST = """
WITH waiting AS MATERIALIZED (
    SELECT created_at FROM jobs_jobexecution WHERE kind = %s AND status IN ('queued', 'retrying')
)
SELECT extract(epoch FROM statement_timestamp() - min(created_at)) FROM waiting
"""


def oldest_waiting_seconds() -> float | None:
    """Return how long the oldest waiting embedding job has existed; None when none waits."""
    with connection.cursor() as cursor:
        cursor.execute(_OLDEST, [GENERATE_EMBEDDING])
        (age,) = cursor.fetchone()
    return None if age is None else round(float(age), 3)


def _latest_job_status() -> Subquery:
    """Return a subquery, for use on subjects, of the status of the newest embedding job."""
    jobs = JobExecution.objects.filter(kind=GENERATE_EMBEDDING, subject=Cast(OuterRef("pk"), CharField()))
    return Subquery(jobs.order_by("-created_at").values("status")[:1])


def _norm() -> Func:
    return Func("vector", function="l2_norm", output_field=FloatField())


def embedding_of(subject: Any) -> Embedding | None:
    """Return a subject's vector by the model in use, with `is_fresh` and without its numbers; None if it has none."""
    stored: Embedding | None = subject.embeddings.filter(model=current_model()).defer("vector").first()
    if stored is not None:
        stored.is_fresh = stored.text_hash == subject.text_hash
    return stored


def describe(subject: Any, *, latest_jobs: int = 5) -> dict[str, Any]:
    """Return what a person wants to know of one subject's embedding: {state, reason, vectors, jobs}."""
    vectors = list(subject.embeddings.annotate(norm=_norm()).defer("vector").order_by("model"))
    for vector in vectors:
        vector.is_fresh = vector.text_hash == subject.text_hash
    jobs = list(
        JobExecution.objects.filter(kind=GENERATE_EMBEDDING, subject=str(subject.pk)).order_by("-created_at")[
            :latest_jobs
        ]
    )
    model = current_model()
    fresh = any(vector.is_fresh and vector.model == model for vector in vectors)
    state = "fresh" if fresh else "stale" if vectors else "missing"
    return {"state": state, "reason": "" if fresh else _why_not_fresh(jobs), "vectors": vectors, "jobs": jobs}


def _why_not_fresh(jobs: list[JobExecution]) -> str:
    """Say in one sentence why there is no vector of the present text, and what happens next."""
    newest = jobs[0] if jobs else None
    if newest is None:
        return _("No job has been made for it: press Embed now.")
    if newest.status in WAITING:
        return _("A job waits for a worker.")
    if newest.status == Status.RUNNING:
        return _("A worker is embedding it now.")
    if newest.status == Status.DEAD:
        told = _("Its job failed for good (%(error_class)s): %(error)s")
        return told % {"error_class": _(newest.error_class), "error": newest.error}
    return _("Its text or the model changed since the last job: press Embed now.")
