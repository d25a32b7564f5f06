"""The job `enrich_business`: what the model or the rules make of a business, stored if it is still about its text."""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from functools import partial
from uuid import UUID

import structlog
from django.db.models import Exists
from django.utils import timezone

from jobs.batch import Batch
from jobs.errors import InvalidInput, JobError, NotFound
from jobs.lifecycle import ClaimedJob, Failure
from jobs.lifecycle.finish import Outcome
from yellowbook.directory.changes import tell_written
from yellowbook.directory.embedding_source import source
from yellowbook.directory.models import Business, BusinessStatus
from yellowbook.enrichment.makers.draft import Draft
from yellowbook.enrichment.making import asks_model, fresh, make, switched_off, wished_version
from yellowbook.enrichment.models import Enrichment
from yellowbook.enrichment.names import BLOCKED, ENRICHED, NOT_PUBLISHED, SUPERSEDED, SWITCHED_OFF, UNCHANGED
from yellowbook.enrichment.prompts import PROMPTS

log = structlog.get_logger(__name__)

#: What is told to other features when an enrichment was stored.
WRITTEN_FIELDS = frozenset({"tags", "summary"})

#: By the id of the job: the hash of the text that was read, and what was made of it.
Drafts = dict[UUID, tuple[UUID, str, Draft]]


def enrich_businesses(batch: Batch) -> None:
    """Enrich each business of the batch; the handler of `enrich_business`."""
    drafts: Drafts = {}
    for job in batch.jobs:
        try:
            drafted = _draft(batch, job)
        except JobError as error:
            batch.fail(job, error)
            continue
        if isinstance(drafted, str):
            if asks_model():
                batch.budget.keep(0)
            batch.succeed(job, drafted)
            continue
        business, draft = drafted
        drafts[job.id] = (business.pk, business.text_hash, draft)
        batch.succeed(job, BLOCKED if draft.blocked_reason else ENRICHED)
    if drafts:
        batch.before_finish(partial(_write, drafts))


def _draft(batch: Batch, job: ClaimedJob) -> tuple[Business, Draft] | str:
    """Make the draft of one business, or return the result of a job for which there is nothing to do."""
    if switched_off():
        return SWITCHED_OFF
    version = _version(job)
    businesses = Business.objects.annotate(is_fresh=Exists(fresh(version)))
    business = businesses.filter(pk=job.subject).first()
    if business is None:
        raise NotFound("The business does not exist any more.")
    if business.status != BusinessStatus.PUBLISHED:
        return NOT_PUBLISHED
    if business.is_fresh and not job.metadata.get("force"):
        return UNCHANGED
    batch.step(50, publish=asks_model())
    draft = make(business, version=version, budget=batch.budget if asks_model() else None)
    log.info("business_enriched", business_id=job.subject, maker=draft.maker, prompt_version=draft.prompt_version)
    return business, draft


def _version(job: ClaimedJob) -> str:
    """Return the version that a job was made for; raises `InvalidInput` for a prompt that is not there any more."""
    version = wished_version(job.metadata.get("prompt_version"))
    if asks_model() and version not in PROMPTS:
        raise InvalidInput(f"There is no prompt {version!r}: this installation knows {', '.join(PROMPTS)}.")
    return version


def _write(drafts: Drafts, held: Collection[UUID]) -> Mapping[UUID, Outcome]:
    """Store the drafts of jobs that are still ours, in the transaction that ends them, and tell other features."""
    ours = {job_id: drafted for job_id, drafted in drafts.items() if job_id in held}
    current = source.lock_current([business_id for business_id, _, _ in ours.values()])
    outcomes: dict[UUID, Outcome] = {}
    rows: list[Enrichment] = []
    for job_id, (business_id, text_hash, draft) in ours.items():
        if business_id not in current:
            outcomes[job_id] = Failure(NotFound("The business was deleted while it was enriched."))
        elif current[business_id] != text_hash:
            # Whoever saved the new text made a job for it.
            outcomes[job_id] = SUPERSEDED
        else:
            made = {**asdict(draft), "tags": list(draft.tags), "free_tags": list(draft.free_tags)}
            rows.append(Enrichment(business_id=business_id, input_hash=text_hash, enriched_at=timezone.now(), **made))
    if rows:
        fields = [field.name for field in Enrichment._meta.concrete_fields if not field.primary_key]
        rows.sort(key=lambda row: row.business_id)
        Enrichment.objects.bulk_create(rows, update_conflicts=True, unique_fields=["business"], update_fields=fields)
        tell_written([row.business_id for row in rows], WRITTEN_FIELDS)
    return outcomes
