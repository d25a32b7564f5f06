"""What must hold of the vectors, and of the jobs that make them."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, LiteralString
from uuid import UUID

from django.db.models import Case, CharField, Exists, OuterRef, QuerySet, UUIDField, When
from django.db.models.functions import Cast
from django.utils.translation import gettext_noop

from embeddings.freshness import fresh_vector
from embeddings.kinds import GENERATE_EMBEDDING
from embeddings.models import Embedding
from embeddings.services import embed_many
from embeddings.source import text_source
from jobs.actor import Actor
from jobs.lifecycle import cancel_waiting
from jobs.models import DeadLetter, JobExecution, Run
from jobs.runs.start import active_run
from jobs.states import WAITING, Source, Status
from jobs.upkeep.audit import Finding, Invariant, register
from jobs.upkeep.scan import delete, ranges_of, scan, walk

#: How far the norm of a stored vector may be from 1. Rounding to half precision (11 significant bits) changes each
#: number by a part of at most 2**-11, and so the norm by less than 0.0005.
TOLERANCE: Final = 0.001

#: Why a waiting job is called off whose business is gone, as its `result` shows it.
SUBJECT_GONE: Final = "subject gone"

#: Businesses that one statement looks at, and one transaction of a repair makes jobs for.
CHUNK = 5_000

#: Options of a run that leave businesses out of it.
_NARROWING: Final = ("category", "stale_only", "limit")

_AUDIT: Final = Actor("audit", Source.CLI)

#: In scans the row at hand is called `row`. A NaN makes the norm NaN, which lies between no two numbers.
_NOT_OF_UNIT_NORM: LiteralString = "NOT l2_norm(row.vector) BETWEEN 1 - %(tolerance)s AND 1 + %(tolerance)s"
_NORM: LiteralString = "row.business_id || ' by ' || row.model || ': norm ' || l2_norm(row.vector)"

_NOT_DESCRIBED: LiteralString = """
row.model = '' OR row.provider = '' OR row.task_type = '' OR row.text_hash !~ '^[0-9a-f]{64}$'
"""
_DESCRIPTION: LiteralString = """
row.business_id || ': ' || concat_ws(', ', 'model ' || quote_literal(row.model),
'provider ' || quote_literal(row.provider), 'task ' || quote_literal(row.task_type),
'hash ' || quote_literal(row.text_hash))
"""

_UUID: Final = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"


def uncovered() -> Iterator[list[UUID]]:
    """Yield, in the order of their ids, the subjects without a fresh vector for which nobody does anything.

    No job waits or runs for them, no dead letter waits for a person, and no run under way is going to come to them.
    """
    for keys in ranges_of(text_source().subjects(), "pk"):
        # What is not fresh is mostly little: the rest is asked of that alone, whatever PostgreSQL thinks of the tables.
        stale = list(_not_fresh().filter(**keys).values_list("pk", flat=True))
        for start in range(0, len(stale), CHUNK):
            yield list(_forsaken().filter(pk__in=stale[start : start + CHUNK]).values_list("pk", flat=True))


def _not_fresh() -> QuerySet[Any]:
    return text_source().subjects().filter(~Exists(fresh_vector())).order_by("pk")


def _forsaken() -> QuerySet[Any]:
    """One statement sees one state of all tables: neither a save nor the end of a job is caught half done."""
    of_subject = {"kind": GENERATE_EMBEDDING, "subject": Cast(OuterRef("pk"), CharField())}
    under_way = JobExecution.objects.filter(**of_subject, status__in=[*WAITING, Status.RUNNING])
    unsettled = DeadLetter.objects.filter(**of_subject, resolved_at__isnull=True)
    return _left_by_runs(_not_fresh()).filter(~Exists(under_way), ~Exists(unsettled))


def _left_by_runs(subjects: QuerySet[Any]) -> QuerySet[Any]:
    """Leave out what a run over all will still be fed with."""
    run = active_run(GENERATE_EMBEDDING)
    if run is None or run.state != Run.State.RUNNING or run.fed_all:
        return subjects
    if any(run.options.get(option) for option in _NARROWING):
        return subjects
    return subjects.filter(pk__lte=UUID(run.cursor)) if run.cursor else subjects.none()


def _uncovered(limit: int) -> Finding:
    count = 0
    shown: list[UUID] = []
    for ids in uncovered():
        count += len(ids)
        shown += ids[: limit - len(shown)]
    return Finding(count, _why(shown))


def _why(ids: Sequence[UUID]) -> list[str]:
    """Say of each subject how its newest job ended."""
    labels = text_source().labels(ids)
    newest = JobExecution.objects.filter(kind=GENERATE_EMBEDDING, subject__in=[str(each) for each in ids])
    ended = {job.subject: job for job in newest.order_by("subject", "-created_at").distinct("subject")}
    return [f"{labels.get(each, '')} ({each}): {_end_of(ended.get(str(each)))}" for each in ids]


def _end_of(job: JobExecution | None) -> str:
    if job is None:
        return "no job is known"
    how = job.result or job.error_class
    return f"its newest job is {job.status}" + (f" ({how})" if how else "")


def embed_uncovered() -> int:
    """Make the missing jobs, `CHUNK` by `CHUNK`, as part of runs of low priority; return how many."""
    return sum(embed_many(ids, priority="low", actor=_AUDIT).queued for ids in uncovered() if ids)


def _of_another_norm(limit: int) -> Finding:
    return scan(Embedding, _NOT_OF_UNIT_NORM, _NORM, limit, {"tolerance": TOLERANCE})


def _not_described(limit: int) -> Finding:
    return scan(Embedding, _NOT_DESCRIBED, _DESCRIPTION, limit)


def _replace_bad_norms() -> int:
    # All of them first: a job would take the vector of an equal text from the next bad row.
    gone = delete(Embedding, _NOT_OF_UNIT_NORM, {"tolerance": TOLERANCE})
    embed_uncovered()
    return gone


def _replace_undescribed() -> int:
    gone = delete(Embedding, _NOT_DESCRIBED)
    embed_uncovered()
    return gone


def _without_business() -> QuerySet[Embedding]:
    return Embedding.objects.filter(~Exists(text_source().subjects().filter(pk=OuterRef("business_id"))))


def _orphans(limit: int) -> Finding:
    count, ids = walk(Embedding.objects.all(), _without_business(), "id", limit)
    rows = Embedding.objects.filter(id__in=ids).order_by("id").values_list("business_id", "model")
    return Finding(count, [f"{business_id} by {model}" for business_id, model in rows])


def _delete_orphans() -> int:
    gone = 0
    for keys in ranges_of(Embedding.objects.all(), "id"):
        ids = list(_without_business().filter(**keys).values_list("id", flat=True))
        gone += Embedding.objects.filter(id__in=ids).delete()[0]
    return gone


def _waiting() -> QuerySet[JobExecution]:
    return JobExecution.objects.filter(kind=GENERATE_EMBEDDING, status__in=WAITING)


def _waiting_for_nothing() -> QuerySet[JobExecution]:
    business_id = Case(When(subject__regex=_UUID, then=Cast("subject", UUIDField())), output_field=UUIDField())
    jobs = _waiting().annotate(business_id=business_id)
    return jobs.filter(~Exists(text_source().subjects().filter(pk=OuterRef("business_id"))))


def _jobs_of_nothing(limit: int) -> Finding:
    count, subjects = walk(_waiting(), _waiting_for_nothing(), "subject", limit)
    return Finding(count, [f"{GENERATE_EMBEDDING} {subject}" for subject in subjects])


def _cancel_jobs_of_nothing() -> int:
    """Call off what waits for businesses that are gone; a subject that is no id ends as `not_found` by itself."""
    cancelled = 0
    for keys in ranges_of(_waiting(), "subject"):
        gone = _waiting_for_nothing().filter(**keys, subject__regex=_UUID).values_list("subject", flat=True)
        cancelled += cancel_waiting(list(gone), reason=SUBJECT_GONE)
    return cancelled


register(
    Invariant(
        "businesses_are_covered",
        gettext_noop(
            "Every business has a fresh vector by the model in use, a job under way, or a dead letter that nobody"
            " settled."
        ),
        _uncovered,
        gettext_noop("Makes the missing jobs."),
        embed_uncovered,
    )
)
register(
    Invariant(
        "vectors_have_unit_norm",
        gettext_noop("Every vector is of finite numbers and has the norm 1."),
        _of_another_norm,
        gettext_noop("Deletes the bad vectors and makes the jobs for new ones."),
        _replace_bad_norms,
    )
)
register(
    Invariant(
        "vectors_are_described",
        gettext_noop("Every vector says its model, provider, task type and the hash of its text."),
        _not_described,
        gettext_noop("Deletes the vectors of unknown origin and makes the jobs for new ones."),
        _replace_undescribed,
    )
)
register(
    Invariant(
        "vectors_have_business",
        gettext_noop("Every vector is of a business that exists."),
        _orphans,
        gettext_noop(
            "Deletes them. A foreign key should have refused them: see that the database has it (manage.py doctor)."
        ),
        _delete_orphans,
    )
)
register(
    Invariant(
        "waiting_jobs_have_business",
        gettext_noop("Every waiting embedding job is for a business that exists."),
        _jobs_of_nothing,
        gettext_noop("Cancels them."),
        _cancel_jobs_of_nothing,
    )
)
