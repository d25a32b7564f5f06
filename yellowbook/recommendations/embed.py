"""The job `embed_profile`: the text of the answers in, its vector out, one provider call for a whole batch."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from django.db import connection
from django.utils import timezone
from pgvector import HalfVector

from embeddings.calls import embed_texts
from embeddings.current import current_provider, hold_current_model
from embeddings.prepare import Prepared, prepare
from embeddings.providers.base import Provider, TaskType
from jobs.batch import Batch
from jobs.budget import Cost
from jobs.errors import BadResponse, BatchRejected, InvalidInput, NotFound, RateLimited
from jobs.lifecycle import ClaimedJob, Failure, Postponed
from jobs.lifecycle.finish import Outcome
from jobs.states import Priority
from yellowbook.recommendations.models import TasteProfile, TasteVector
from yellowbook.recommendations.names import EMBEDDED, NOT_COMPLETED, SUPERSEDED, UNCHANGED

#: A taste is compared with businesses in both directions, unlike a query, which is answered by documents.
TASK = TaskType.SIMILARITY

#: `FOR KEY SHARE` lets others go on saving the rows but not delete them.
_LOCK_CURRENT = "SELECT id, text_hash FROM recommendations_tasteprofile WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE"

#: Vectors on their way into the table, by the id of their job.
Ready = dict[UUID, TasteVector]


@dataclass(frozen=True, slots=True)
class Part:
    """A text that needs a vector."""

    job: ClaimedJob
    profile_id: UUID
    text_hash: str
    prepared: Prepared


def embed_profiles(batch: Batch) -> None:
    """Embed the answers of a batch of profiles.

    Results: `embedded`; `unchanged`, when the stored vector is of this very text by the model that serves;
    `superseded`, when the answers changed while the job ran: whoever changed them made another job; `not completed`.
    A job goes back as it came when another model has begun to serve while it ran.
    """
    provider = current_provider()
    ready: Ready = {}
    batch.before_finish(partial(_write, ready, provider.model))
    parts = _read(batch, provider)
    batch.step(30)
    taken = batch.budget.take([Cost(each.prepared.tokens, urgent=each.job.priority == Priority.HIGH) for each in parts])
    for each in parts[taken:]:
        batch.postpone(each.job)
    if taken:
        batch.step(50, publish=True)
        _embed(batch, parts[:taken], provider, ready)


def _read(batch: Batch, provider: Provider) -> list[Part]:
    """Read the texts; note what needs no vector, or can't have one. Returns the rest."""
    rows = TasteProfile.objects.filter(pk__in=[job.subject for job in batch.jobs]).select_related("vector")
    profiles = {str(profile.pk): profile for profile in rows}
    parts: list[Part] = []
    for job in batch.jobs:
        profile = profiles.get(job.subject)
        if profile is None:
            batch.fail(job, NotFound("The taste profile does not exist any more."))
        elif profile.completed_at is None:
            batch.succeed(job, NOT_COMPLETED)
        elif is_fresh(profile, provider.model):
            batch.succeed(job, UNCHANGED)
        else:
            try:
                prepared = prepare(profile.text, max_tokens=provider.max_tokens)
            except InvalidInput as error:
                batch.fail(job, error)
            else:
                parts.append(Part(job, profile.pk, profile.text_hash, prepared))
    return parts


def is_fresh(profile: TasteProfile, model: str) -> bool:
    """Tell whether a profile has the vector of its present text by `model`; no query where `vector` was selected."""
    vector: TasteVector | None = getattr(profile, "vector", None)
    return vector is not None and (vector.model, vector.text_hash) == (model, profile.text_hash)


def _embed(batch: Batch, parts: list[Part], provider: Provider, ready: Ready) -> None:
    """Make the call, and tell the batch how each job ends."""
    try:
        answers = embed_texts([part.prepared.text for part in parts], TASK, provider)
    except BatchRejected as error:
        batch.split(error)
        return
    except RateLimited as error:
        batch.budget.block(max(batch.kind.retry[error.error_class].delay or 0.0, error.retry_after or 0.0))
        raise
    finally:
        batch.budget.done()
    batch.step(80)
    for part, answer in zip(parts, answers, strict=True):
        if isinstance(answer, BadResponse):
            batch.fail(part.job, answer)
            continue
        ready[part.job.id] = TasteVector(
            profile_id=part.profile_id,
            model=provider.model,
            provider=provider.name,
            task_type=TASK.value,
            text_hash=part.text_hash,
            vector=HalfVector(answer),
            job_id=part.job.id,
            made_at=timezone.now(),
        )
        batch.succeed(part.job, EMBEDDED)


def _write(ready: Ready, model: str, held: Collection[UUID]) -> Mapping[UUID, Outcome]:
    """Store the vectors of jobs that are still ours and still about their text, in the transaction that ends them."""
    ours = {job_id: vector for job_id, vector in ready.items() if job_id in held}
    if not ours:
        return {}
    if hold_current_model() != model:
        return dict.fromkeys(ours, Postponed())
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_CURRENT, [[vector.profile_id for vector in ours.values()]])
        current = dict(cursor.fetchall())
    outcomes: dict[UUID, Outcome] = {}
    rows: list[TasteVector] = []
    for job_id, vector in ours.items():
        if vector.profile_id not in current:
            outcomes[job_id] = Failure(NotFound("The taste profile was deleted while it was embedded."))
        elif current[vector.profile_id] != vector.text_hash:
            outcomes[job_id] = SUPERSEDED
        else:
            rows.append(vector)
    fields = [field.name for field in TasteVector._meta.concrete_fields if not field.primary_key]
    rows.sort(key=lambda vector: vector.profile_id)
    TasteVector.objects.bulk_create(rows, update_conflicts=True, unique_fields=["profile"], update_fields=fields)
    return outcomes
