"""The job `generate_embedding`: texts in, vectors out, one provider call for a whole batch (and for each model in it).

A job is about the model that serves when it is done, or about the one that its metadata names as `model`.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from uuid import UUID

import numpy as np
import structlog
from numpy.typing import NDArray
from pgvector import HalfVector

from embeddings.calls import embed_texts
from embeddings.current import current_provider, hold_current_model
from embeddings.parts import Ends, Part, providers_of, wished_model
from embeddings.prepare import prepare
from embeddings.providers.base import Provider, TaskType
from embeddings.source import text_source
from embeddings.store import NewVector, store, stored_hashes, vectors_by_hash
from jobs import runs
from jobs.batch import Batch
from jobs.budget import Cost
from jobs.clean import clean
from jobs.errors import (
    BadResponse,
    BatchRejected,
    ConfigurationError,
    InvalidInput,
    JobError,
    NotFound,
    QuotaExhausted,
    RateLimited,
)
from jobs.lifecycle import ClaimedJob, Failure, Postponed, StateConflict
from jobs.lifecycle.finish import Outcome
from jobs.lifecycle.rewait import SUPERSEDED
from jobs.models import Run
from jobs.states import Priority

log = structlog.get_logger(__name__)

#: Stored vectors answer searches, so they are made as documents.
TASK = TaskType.DOCUMENT

#: Vectors on their way into the table: what made them, and of which job.
Ready = dict[Provider, dict[UUID, NewVector]]

#: Parts with one text by one model: the text is sent once for all of them.
Same = list[Part]
#: What a provider made of a text.
Answer = NDArray[np.float32] | BadResponse


def generate_embeddings(batch: Batch) -> None:
    """Embed the texts of a batch of businesses.

    Results: `embedded`; `unchanged`, when the stored vector is of this very text; `cached`, when another business has a
    vector of the same text by the same model; `superseded`, when the text changed while the job ran: the save that
    changed it made another job. A job with `force` in its metadata takes neither of the first two shortcuts.

    A job goes back as it came when another model has begun to serve while it ran.
    """
    serving = current_provider()
    ends, ready = Ends(batch, serving), Ready()
    batch.before_finish(partial(_write, batch, ready, serving.model))
    parts = _read(batch, serving, ends)
    batch.step(30)

    def keep(part: Part, result: str, vector: HalfVector, truncated: bool) -> None:
        ready.setdefault(part.provider, {})[part.job.id] = _new(part, vector, truncated)
        ends.part(part.job, result)

    unknown: dict[tuple[str, str], Same] = {}
    for part, known in _known(parts):
        if known is None:
            unknown.setdefault(part.text, []).append(part)
        else:
            keep(part, "cached", *known)
    affordable = _affordable(batch, list(unknown.values()), ends)
    if not affordable:
        return
    batch.step(50, publish=True)
    answered = False
    for same, answer in _calls(batch, affordable, serving, ends):
        if not answered:
            answered = True
            batch.step(80)
        for number, part in enumerate(same):
            if isinstance(answer, JobError):
                ends.part(part.job, answer)
            else:
                keep(part, "cached" if number else "embedded", HalfVector(answer), part.prepared.truncated)


def _read(batch: Batch, serving: Provider, ends: Ends) -> list[Part]:
    """Read the texts; note what needs no vector, or can't have one. Returns the rest."""
    ids: dict[ClaimedJob, UUID] = {}
    needs: dict[ClaimedJob, list[Provider]] = {}
    for job in batch.jobs:
        try:
            needs[job] = providers_of(job, serving)
            ids[job] = UUID(job.subject)
        except ConfigurationError as error:
            batch.fail(job, _not_our_model(error, wished_model(job)))
        except ValueError:
            batch.fail(job, NotFound(f"{job.subject!r} is not the id of a business."))
    sources = text_source().texts(list(ids.values()))
    models = {provider.model for job in ids for provider in needs[job]}
    hashes = {model: stored_hashes(list(ids.values()), model) for model in models}
    parts: list[Part] = []
    for job, business_id in ids.items():
        source = sources.get(business_id)
        if source is None:
            batch.fail(job, NotFound("The business does not exist any more."))
            continue
        # The serving model's first: where the budget is short, it is what somebody may wait for.
        for provider in reversed(needs[job]):
            forced = provider is needs[job][0] and bool(job.metadata.get("force"))
            if hashes[provider.model].get(business_id) == source.text_hash and not forced:
                ends.part(job, "unchanged")
                continue
            try:
                prepared = prepare(source.text, max_tokens=provider.max_tokens)
            except InvalidInput as error:
                ends.part(job, error)
            else:
                parts.append(Part(job, provider, source, prepared, forced))
    return parts


def _known(parts: Sequence[Part]) -> list[tuple[Part, tuple[HalfVector, bool] | None]]:
    """Find the vectors of texts that any business has one of by the same model."""
    wanted: dict[str, set[str]] = {}
    for part in parts:
        if not part.forced:
            wanted.setdefault(part.provider.model, set()).add(part.source.text_hash)
    found = {model: vectors_by_hash(hashes, model) for model, hashes in wanted.items()}
    return [(part, None if part.forced else found[part.provider.model].get(part.source.text_hash)) for part in parts]


def _affordable(batch: Batch, texts: list[Same], ends: Ends) -> list[Same]:
    """Spend the budget on as many of the texts as it allows, the most urgent first; return those, postpone the rest."""
    costs = [
        Cost(same[0].prepared.tokens, urgent=any(part.job.priority == Priority.HIGH for part in same)) for same in texts
    ]
    taken = batch.budget.take(costs)
    for same in texts[taken:]:
        for part in same:
            ends.part(part.job, Postponed())
    return texts[:taken]


def _calls(batch: Batch, texts: list[Same], serving: Provider, ends: Ends) -> Iterator[tuple[Same, Answer]]:
    """Make one provider call for each model; what failed is noted and left out, and fails no other model's texts."""
    by_provider: dict[Provider, list[Same]] = {}
    for same in texts:
        by_provider.setdefault(same[0].provider, []).append(same)
    defects: list[Exception] = []
    try:
        for provider, asked in by_provider.items():
            try:
                answers = embed_texts([same[0].prepared.text for same in asked], TASK, provider)
            except JobError as error:
                _failed(batch, [part for same in asked for part in same], error, serving, ends)
            except Exception as error:
                # Raised below, for the jobs that have no outcome by then: those of this call.
                defects.append(error)
            else:
                yield from zip(asked, answers, strict=True)
    finally:
        batch.budget.done()
    for defect in defects:
        raise defect


def _failed(batch: Batch, parts: list[Part], error: JobError, serving: Provider, ends: Ends) -> None:
    """Note what becomes of the parts whose call failed."""
    provider = parts[0].provider
    outcome: JobError | Postponed = error
    if isinstance(error, RateLimited):
        batch.budget.block(max(batch.kind.retry[error.error_class].delay or 0.0, error.retry_after or 0.0))
    elif isinstance(error, BatchRejected):
        outcome = _halved(error, len(parts))
    elif provider is not serving and isinstance(error, ConfigurationError | QuotaExhausted):
        # These pause the lane, but the model that serves has nothing to do with it.
        _stop_filling(batch.kind.name, provider.model)
        outcome = _not_our_model(error, provider.model)
    for part in parts:
        ends.part(part.job, outcome)


def _halved(error: BatchRejected, jobs: int) -> JobError | Postponed:
    """Give a rejected call back in two halves; a job that stands alone is the one that was rejected."""
    if jobs == 1:
        return InvalidInput(error.message, status_code=error.status_code)
    log.warning("batch_rejected", jobs=jobs, error=clean(error.message))
    return Postponed(split_size=(jobs + 1) // 2)


def _not_our_model(error: JobError, model: str) -> InvalidInput:
    """Return the failure of jobs for a model that can't be used: theirs alone, the lane goes on."""
    return InvalidInput(f"The model {model} can't be used. {error.message}")


def _stop_filling(kind: str, model: str) -> None:
    """Stop the runs that fill a model in which can't be used."""
    for run in Run.objects.filter(kind=kind, fed=True, state=Run.State.RUNNING, options__model=model):
        with suppress(StateConflict):
            runs.stop(run.id)
        log.error("fill_stopped", model=model, run_id=str(run.id))


def _write(batch: Batch, ready: Ready, served: str, held: Collection[UUID]) -> Mapping[UUID, Outcome]:
    """Store the vectors of the jobs that are still ours, in the transaction that ends them.

    Where another model than `served` serves by now, a job that was not made for that one goes back: it has to see to
    the text's vector by the new model too.
    """
    serves = hold_current_model()
    outcomes: dict[UUID, Outcome] = {}
    if serves != served:
        late = [job.id for job in batch.jobs if job.id in held and wished_model(job) != serves]
        outcomes.update({job_id: Postponed() for job_id in late if isinstance(batch.outcomes.get(job_id), str)})
        log.info("model_switched_meanwhile", model=serves, jobs=len(outcomes))
    if len(ready) > 1:
        # All at once, in the order in which everybody locks them.
        text_source().lock_current([vector.business_id for vectors in ready.values() for vector in vectors.values()])
    for provider, vectors in sorted(ready.items(), key=lambda made: made[0].model):
        ours = {job_id: vector for job_id, vector in vectors.items() if job_id in held}
        told = store(list(ours.values()), model=provider.model, provider=provider.name, task_type=TASK.value)
        for job_id, vector in ours.items():
            if told[vector.business_id] is None:
                outcomes[job_id] = Failure(NotFound("The business was deleted while its text was embedded."))
            elif told[vector.business_id] is False and isinstance(batch.outcomes.get(job_id), str):
                outcomes[job_id] = SUPERSEDED
    return outcomes


def _new(part: Part, vector: HalfVector, truncated: bool) -> NewVector:
    return NewVector(
        business_id=UUID(part.job.subject),
        job_id=part.job.id,
        text_hash=part.source.text_hash,
        truncated=truncated,
        vector=vector,
    )
