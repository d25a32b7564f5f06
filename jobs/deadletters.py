"""What people do with dead letters: look, group by cause, retry, resolve."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Case, CharField, Count, Exists, F, Max, Min, OuterRef, Q, QuerySet, Value, When
from django.db.models.fields.json import KT
from django.db.models.functions import Concat, Left, Now
from django.utils.translation import gettext, gettext_noop

from jobs.actor import Actor
from jobs.lifecycle import StateConflict, retry_many
from jobs.models import Attempt, DeadLetter, JobExecution
from jobs.states import WAITING, Source, Status
from jobs.wake import wake

#: Dead letters that one transaction settles.
CHUNK = 500
#: Characters of a reason that a list shows.
CLIP = 160
#: Why a dead job does not wait again: another one waits on its subject, or is made to wait by the same retry.
ANOTHER = gettext_noop("another job on the same subject does the work")
#: Why it does not when it is not dead; its state follows.
ITS_JOB = "its job is "

#: Called with the letters that were settled, in the transaction that settles them.
Written = Callable[[Sequence[DeadLetter]], object]


@dataclass(frozen=True, slots=True)
class Retried:
    """What came of retrying many: jobs that wait again, letters left alone, and how many of these for which reason."""

    requeued: int
    skipped: int
    reasons: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Resolved:
    """What came of resolving many: letters settled, letters left alone, and how many of these for which reason."""

    resolved: int
    skipped: int
    reasons: Mapping[str, int] = field(default_factory=dict)


def unsettled() -> QuerySet[DeadLetter]:
    """Return the dead letters that nobody has retried or resolved."""
    return DeadLetter.objects.filter(resolved_at__isnull=True)


def matching(
    *,
    job_ids: Collection[UUID] | None = None,
    kind: str | None = None,
    error_class: str | None = None,
    fingerprint: str | None = None,
    run_id: UUID | str | None = None,
) -> QuerySet[DeadLetter]:
    """Return the unsettled dead letters that all that is given applies to."""
    letters = unsettled()
    if job_ids is not None:
        letters = letters.filter(job_id__in=job_ids)
    columns = {"kind": kind, "error_class": error_class, "fingerprint": fingerprint, "job__run_id": run_id}
    return letters.filter(**{column: value for column, value in columns.items() if value is not None})


def listed(letters: QuerySet[DeadLetter]) -> QuerySet[DeadLetter]:
    """Return `letters` for a list: with `original_name` and `clipped` (the reason), without their long columns."""
    return letters.annotate(
        original_name=KT("payload__metadata__original_name"), clipped=Left("failure_reason", CLIP)
    ).defer("payload", "failure_reason", "error_details", "note")


def attempts_of(letter: DeadLetter) -> QuerySet[Attempt]:
    """Return the failed attempts that led to this letter; those before an earlier letter of the job led to that one."""
    attempts = Attempt.objects.filter(job_id=letter.job_id, started_at__lte=letter.last_attempt_at)
    earlier = DeadLetter.objects.filter(job_id=letter.job_id, last_attempt_at__lt=letter.last_attempt_at)
    before = earlier.aggregate(Max("last_attempt_at"))["last_attempt_at__max"]
    return attempts.filter(started_at__gt=before) if before else attempts


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


def causes(most: int | None = None) -> list[dict[str, Any]]:
    """Return the unsettled dead letters grouped by cause, the most frequent first; `letter` is the newest one's id."""
    rows = (
        unsettled()
        .values("fingerprint", "kind", "error_class")
        .annotate(
            count=Count("id"),
            first=Min("created_at"),
            last=Max("created_at"),
            example=Max("failure_reason"),
            letter=Max("id"),
        )
        .order_by("-count", "fingerprint")
    )
    return [dict(row) for row in rows[:most]]


#: Dead letters, the newest ones, that are grouped at most when it has to be quick.
NEWEST = 5_000


def recent_causes(since: datetime, most: int) -> tuple[list[dict[str, Any]], bool]:
    """Return what jobs died of since some moment, the most frequent first, and whether that is all there is to tell.

    Each: {fingerprint, kind, error_class, count, open, first, last, letter, reason}; `open` is how many nobody has
    settled yet, `letter` the newest one's id, `reason` what it says. Of more than `NEWEST` letters the newest count.
    """
    newest = DeadLetter.objects.filter(created_at__gte=since).order_by("-created_at", "id")
    rows = (
        DeadLetter.objects.filter(id__in=newest.values("id")[:NEWEST])
        .values("fingerprint", "kind", "error_class")
        .annotate(
            count=Count("id"),
            open=Count("id", filter=Q(resolved_at__isnull=True)),
            first=Min("created_at"),
            last=Max("created_at"),
            letter=Max("id"),
            reason=Max(Left("failure_reason", CLIP)),
        )
        .order_by("-count", "fingerprint")
    )
    found: list[dict[str, Any]] = [dict(row) for row in rows]
    return found[:most], sum(row["count"] for row in found) < NEWEST


#: Why a settled letter is left alone.
_SETTLED = [
    When(resolution=DeadLetter.Resolution.RETRIED, then=Value(gettext_noop("retried already"))),
    When(resolved_at__isnull=False, then=Value(gettext_noop("resolved already"))),
]
_ANOTHER_WAITS = Exists(
    JobExecution.objects.filter(kind=OuterRef("kind"), subject=OuterRef("subject"), status__in=WAITING)
)
#: Why a letter's job is not made to wait.
_NOT_RETRIED = [
    *_SETTLED,
    When(~Q(job__status=Status.DEAD), then=Concat(Value(ITS_JOB), F("job__status"))),
    When(_ANOTHER_WAITS, then=Value(ANOTHER)),
]


def _sorted_out(letters: QuerySet[DeadLetter], cases: list[When]) -> tuple[int, dict[str, int]]:
    """Return how many letters no case applies to, and how many each case applies to."""
    why = Case(*cases, default=Value(""), output_field=CharField())
    found = letters.order_by().annotate(why=why).values("why").annotate(letters=Count("id"))
    by_reason = {row["why"]: row["letters"] for row in found}
    return by_reason.pop("", 0), by_reason


def retry_outlook(letters: QuerySet[DeadLetter]) -> Retried:
    """Return what `retry_letters` would do now; changes nothing."""
    # Of settled letters, which may be many more, no job is asked for.
    _, reasons = _sorted_out(letters.filter(resolved_at__isnull=False), _SETTLED)
    open_letters = letters.filter(resolved_at__isnull=True)
    free, others = _sorted_out(open_letters, _NOT_RETRIED)
    reasons |= others
    dead = open_letters.filter(~_ANOTHER_WAITS, job__status=Status.DEAD).order_by()
    subjects = dead.values("kind", "subject").distinct().count()
    if free > subjects:
        reasons[ANOTHER] = reasons.get(ANOTHER, 0) + free - subjects
    return Retried(subjects, sum(reasons.values()), reasons)


def resolve_outlook(letters: QuerySet[DeadLetter]) -> Resolved:
    """Return what `resolve_letters` would do now; changes nothing."""
    free, reasons = _sorted_out(letters, _SETTLED)
    return Resolved(free, sum(reasons.values()), reasons)


def _chunks(letters: QuerySet[DeadLetter]) -> Iterator[list[int]]:
    """Yield the ids of `letters`, `CHUNK` at a time, the newest first: letters that come meanwhile are left out."""
    rest = letters.order_by("-id").values_list("id", flat=True)
    ids = list(rest[:CHUNK])
    while ids:
        yield ids
        ids = list(rest.filter(id__lt=ids[-1])[:CHUNK])


def retry_letters(letters: QuerySet[DeadLetter], *, triggered_by: str, written: Written | None = None) -> Retried:
    """Make the jobs of unsettled dead letters wait again, each exactly once however many people ask at once.

    Works in transactions of `CHUNK` letters: what is done stays done when a later one fails, and asking again goes on.
    """
    actor = Actor(triggered_by, Source.DLQ_RETRY)
    kinds: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    try:
        for ids in _chunks(letters):
            waiting, left_alone = retry_chunk(ids, actor, written)
            kinds.update(waiting)
            reasons.update(left_alone)
    finally:
        for kind in kinds:
            wake(kind)
    return Retried(kinds.total(), reasons.total(), dict(reasons))


def retry_chunk(
    ids: Sequence[int], actor: Actor, written: Written | None = None
) -> tuple[dict[str, int], dict[str, int]]:
    """Retry, in one transaction, those of the letters that nobody else settles; count kinds, and reasons not to.

    Jobs are locked before letters, as a retry from a job's own page does: the two can't wait for each other.
    """
    with transaction.atomic():
        open_letters = unsettled().filter(id__in=ids)
        jobs = JobExecution.objects.filter(id__in=open_letters.values("job_id"), status=Status.DEAD)
        list(jobs.order_by("kind", "subject", "-created_at", "id").select_for_update().values_list("id"))
        mine = dict(open_letters.order_by("id").select_for_update().values_list("id", "job_id"))
        kinds = retry_many(list(mine.values()), actor=actor)
        retried = DeadLetter.objects.filter(id__in=mine, resolution=DeadLetter.Resolution.RETRIED)
        done = list(retried.only("kind", "subject", "error_class"))
        others = set(ids) - {letter.id for letter in done}
        free, reasons = _sorted_out(DeadLetter.objects.filter(id__in=others), _NOT_RETRIED)
        if free:
            # The job that waited on the subject has been claimed since.
            reasons[ANOTHER] = reasons.get(ANOTHER, 0) + free
        if written and done:
            written(done)
    return kinds, reasons


def retry_one(job_id: UUID, *, triggered_by: str) -> None:
    """Make the job of one unsettled dead letter wait again; `StateConflict` when it is settled already."""
    if not retry_letters(unsettled().filter(job_id=job_id), triggered_by=triggered_by).requeued:
        raise StateConflict(gettext("The dead letter is settled already, or a newer job waits for the same subject."))


def resolve(job_ids: Collection[UUID], *, resolved_by: str, note: str = "") -> int:
    """Settle the dead letters of jobs without a retry; return how many were not settled before."""
    return resolve_letters(unsettled().filter(job_id__in=job_ids), resolved_by=resolved_by, note=note).resolved


def resolve_letters(
    letters: QuerySet[DeadLetter], *, resolved_by: str, note: str = "", written: Written | None = None
) -> Resolved:
    """Settle dead letters without a retry, each once, in transactions of `CHUNK` letters."""
    resolved = 0
    reasons: Counter[str] = Counter()
    for ids in _chunks(letters):
        done, left_alone = resolve_chunk(ids, resolved_by, note, written)
        resolved += done
        reasons.update(left_alone)
    return Resolved(resolved, reasons.total(), dict(reasons))


def resolve_chunk(
    ids: Sequence[int], resolved_by: str, note: str = "", written: Written | None = None
) -> tuple[int, dict[str, int]]:
    """Resolve, in one transaction, those of the letters that nobody has settled; count them, and reasons not to."""
    settled = {"resolution": DeadLetter.Resolution.RESOLVED, "resolved_by": resolved_by, "note": note}
    with transaction.atomic():
        open_letters = unsettled().filter(id__in=ids).order_by("id").select_for_update()
        done = list(open_letters.only("kind", "subject", "error_class"))
        mine = {letter.id for letter in done}
        DeadLetter.objects.filter(id__in=mine).update(resolved_at=Now(), **settled)
        if written and done:
            written(done)
        _, reasons = _sorted_out(DeadLetter.objects.filter(id__in=set(ids) - mine), _SETTLED)
    return len(done), reasons
