"""The job `generate_embedding`: texts in, vectors out, one provider call for a whole batch."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from pgvector import HalfVector

from embeddings.calls import embed_texts
from embeddings.current import current_provider
from embeddings.prepare import Prepared, prepare
from embeddings.providers.base import Provider, TaskType
from embeddings.source import SourceText, text_source
from embeddings.store import NewVector, store, stored_hashes, vectors_by_hash
from jobs.batch import Batch
from jobs.budget import Cost
from jobs.errors import BadResponse, InvalidInput, JobError, NotFound, RateLimited
from jobs.lifecycle import ClaimedJob, Failure
from jobs.lifecycle.finish import Outcome
from jobs.lifecycle.rewait import SUPERSEDED
from jobs.states import Priority

#: Stored vectors answer searches, so they are made as documents.
TASK = TaskType.DOCUMENT


@dataclass(frozen=True, slots=True)
class _Work:
    """A job whose text has to be embedded."""

    job: ClaimedJob
    source: SourceText
    prepared: Prepared


def generate_embeddings(batch: Batch) -> None:
    """Embed the texts of a batch of businesses.

    Results: `embedded`; `unchanged`, when the stored vector is of this very text; `cached`, when another business has a
    vector of the same text by the same model; `superseded`, when the text changed while the job ran: the save that
    changed it made another job. A job with `force` in its metadata takes neither of the first two shortcuts.
    """
    provider = current_provider()
    work = _read(batch, provider.model, provider.max_tokens)
    batch.step(30)
    ready: dict[UUID, NewVector] = {}
    batch.before_finish(partial(_write, ready, provider))

    def keep(each: _Work, result: str, vector: HalfVector, truncated: bool) -> None:
        ready[each.job.id] = _new(each, vector, truncated)
        batch.succeed(each.job, result)

    forced = {each.job.id for each in work if each.job.metadata.get("force")}
    known = vectors_by_hash({each.source.text_hash for each in work if each.job.id not in forced}, provider.model)
    unknown: dict[str, list[_Work]] = {}
    for each in work:
        if each.source.text_hash in known and each.job.id not in forced:
            keep(each, "cached", *known[each.source.text_hash])
        else:
            unknown.setdefault(each.source.text_hash, []).append(each)
    affordable = _affordable(batch, list(unknown.values()))
    if not affordable:
        return
    batch.step(50, publish=True)
    answers = _call(batch, [same[0].prepared.text for same in affordable], provider)
    batch.step(80)
    for same, answer in zip(affordable, answers, strict=True):
        for number, each in enumerate(same):
            if isinstance(answer, JobError):
                batch.fail(each.job, answer)
            else:
                keep(each, "cached" if number else "embedded", HalfVector(answer), each.prepared.truncated)


def _write(ready: Mapping[UUID, NewVector], provider: Provider, held: Collection[UUID]) -> Mapping[UUID, Outcome]:
    """Store the vectors of the jobs that are still ours, in the transaction that ends them."""
    vectors = {job_id: vector for job_id, vector in ready.items() if job_id in held}
    told = store(list(vectors.values()), model=provider.model, provider=provider.name, task_type=TASK.value)
    outcomes: dict[UUID, Outcome] = {}
    for job_id, vector in vectors.items():
        if told[vector.business_id] is None:
            outcomes[job_id] = Failure(NotFound("The business was deleted while its text was embedded."))
        elif told[vector.business_id] is False:
            outcomes[job_id] = SUPERSEDED
    return outcomes


def _affordable(batch: Batch, texts: list[list[_Work]]) -> list[list[_Work]]:
    """Spend the budget on as many of the texts as it allows, the most urgent first; return those, postpone the rest.

    A text stands for all jobs that have it.
    """
    costs = [
        Cost(same[0].prepared.tokens, urgent=any(each.job.priority == Priority.HIGH for each in same)) for same in texts
    ]
    taken = batch.budget.take(costs)
    for same in texts[taken:]:
        for each in same:
            batch.postpone(each.job)
    return texts[:taken]


def _call(batch: Batch, texts: list[str], provider: Provider) -> list[NDArray[np.float32] | BadResponse]:
    """Make the one provider call of the batch."""
    try:
        return embed_texts(texts, TASK, provider)
    except RateLimited as error:
        batch.budget.block(max(batch.kind.retry[error.error_class].delay or 0.0, error.retry_after or 0.0))
        raise
    finally:
        batch.budget.done()


def _read(batch: Batch, model: str, max_tokens: int) -> list[_Work]:
    """Read the texts; end the jobs that need no call. Returns the rest."""
    ids: dict[ClaimedJob, UUID] = {}
    for job in batch.jobs:
        try:
            ids[job] = UUID(job.subject)
        except ValueError:
            batch.fail(job, NotFound(f"{job.subject!r} is not the id of a business."))
    sources = text_source().texts(list(ids.values()))
    hashes = stored_hashes(list(ids.values()), model)
    work: list[_Work] = []
    for job, business_id in ids.items():
        source = sources.get(business_id)
        if source is None:
            batch.fail(job, NotFound("The business does not exist any more."))
        elif hashes.get(business_id) == source.text_hash and not job.metadata.get("force"):
            batch.succeed(job, "unchanged")
        else:
            try:
                work.append(_Work(job, source, prepare(source.text, max_tokens=max_tokens)))
            except InvalidInput as error:
                batch.fail(job, error)
    return work


def _new(work: _Work, vector: HalfVector, truncated: bool) -> NewVector:
    return NewVector(
        business_id=UUID(work.job.subject),
        job_id=work.job.id,
        text_hash=work.source.text_hash,
        truncated=truncated,
        vector=vector,
    )
