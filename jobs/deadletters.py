"""What people do with dead letters: look, group by cause, retry, resolve."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Max, Min, QuerySet
from django.db.models.functions import Now

from jobs.actor import Actor
from jobs.lifecycle import StateConflict, retry_many
from jobs.models import DeadLetter
from jobs.states import Source
from jobs.wake import wake

#: Dead letters that one transaction retries.
CHUNK = 500


@dataclass(frozen=True, slots=True)
class Retried:
    """What came of retrying many: jobs that wait again, and those that something else had settled."""

    requeued: int
    skipped: int


def unsettled() -> QuerySet[DeadLetter]:
    """Return the dead letters that nobody has retried or resolved."""
    return DeadLetter.objects.filter(resolved_at__isnull=True)


def summary() -> dict[str, Any]:
    """Return {total_failed, by_error_class, oldest} of what is unsettled."""
    found = list(
        unsettled().values("error_class").annotate(count=Count("id"), oldest=Min("created_at")).order_by("error_class")
    )
    return {
        "total_failed": sum(row["count"] for row in found),
        "by_error_class": {row["error_class"]: row["count"] for row in found},
        "oldest": min((row["oldest"] for row in found), default=None),
    }


def causes() -> list[dict[str, Any]]:
    """Return the unsettled dead letters grouped by cause, the most frequent first."""
    rows: Iterable[Any] = (
        unsettled()
        .values("fingerprint", "kind", "error_class")
        .annotate(count=Count("id"), first=Min("created_at"), last=Max("created_at"), example=Max("failure_reason"))
        .order_by("-count", "fingerprint")
    )
    return list(rows)


def retry_letters(letters: QuerySet[DeadLetter], *, triggered_by: str) -> Retried:
    """Make the jobs of unsettled dead letters wait again, each exactly once however many people ask at once."""
    actor = Actor(triggered_by, Source.DLQ_RETRY)
    wanted = list(letters.filter(resolved_at__isnull=True).order_by("job_id").values_list("job_id", flat=True))
    requeued = 0
    kinds: set[str] = set()
    for start in range(0, len(wanted), CHUNK):
        for kind, count in _retry_unsettled(wanted[start : start + CHUNK], actor).items():
            requeued += count
            kinds.add(kind)
    for kind in kinds:
        wake(kind)
    return Retried(requeued=requeued, skipped=len(wanted) - requeued)


def _retry_unsettled(job_ids: list[UUID], actor: Actor) -> dict[str, int]:
    """Retry those of the jobs whose dead letters nobody settles in the same moment; count them by kind."""
    with transaction.atomic():
        letters = unsettled().filter(job_id__in=job_ids).order_by("id").select_for_update()
        return retry_many(list(letters.values_list("job_id", flat=True)), actor=actor)


def retry_one(job_id: UUID, *, triggered_by: str) -> None:
    """Make the job of one unsettled dead letter wait again; `StateConflict` when it is settled already."""
    if not retry_letters(unsettled().filter(job_id=job_id), triggered_by=triggered_by).requeued:
        raise StateConflict("The dead letter is settled already, or a newer job waits for the same subject.")


def resolve(job_ids: Collection[UUID], *, resolved_by: str, note: str = "") -> int:
    """Settle dead letters without a retry; return how many were not settled before."""
    with transaction.atomic():
        letters = unsettled().filter(job_id__in=job_ids).order_by("id").select_for_update()
        return (
            unsettled()
            .filter(id__in=list(letters.values_list("id", flat=True)))
            .update(resolution=DeadLetter.Resolution.RESOLVED, resolved_at=Now(), resolved_by=resolved_by, note=note)
        )
