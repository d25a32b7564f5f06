"""Looking at some businesses side by side before a run: what is stored of them, and what the run would store.

Each sample is a job, so that it waits for budget and survives whatever happens, like all work; it changes no business.
"""

from collections.abc import Collection, Mapping
from functools import partial
from itertools import chain
from typing import Any, Final
from uuid import UUID, uuid4

from django.db import transaction

from jobs.actor import Actor
from jobs.batch import Batch
from jobs.clock import ago
from jobs.enqueue import enqueue_many
from jobs.errors import InvalidInput, JobError, NotFound
from jobs.lifecycle.finish import Outcome
from jobs.models import JobExecution
from jobs.runs.feeds import Options
from jobs.states import WAITING, Operation, Priority, Status
from yellowbook.enrichment.feed import wanted
from yellowbook.enrichment.makers.by_rules import RULES_VERSION
from yellowbook.enrichment.makers.draft import Draft
from yellowbook.enrichment.making import asks_model, make, wished_version
from yellowbook.enrichment.models import Enrichment, Preview, PreviewSample
from yellowbook.enrichment.names import PREVIEW_ENRICHMENT, PREVIEWED
from yellowbook.enrichment.prompts import PROMPTS

#: Businesses of a preview.
SAMPLES: Final = 10


def begin_preview(options: Options, *, actor: Actor) -> Preview:
    """Have up to `SAMPLES` businesses of a run with these options made ready to be compared."""
    from_here = uuid4()
    chosen = wanted(options).order_by("pk")
    # Ids are random: what follows a random one is a sample, without sorting the table.
    samples = list(chain(chosen.filter(pk__gte=from_here)[:SAMPLES], chosen.filter(pk__lt=from_here)[:SAMPLES]))
    stored = Enrichment.objects.in_bulk([business.pk for business in samples])
    with transaction.atomic():
        preview = Preview.objects.create(
            options=dict(options),
            prompt_version=wished_version(options.get("prompt_version")),
            requested_by=actor.triggered_by,
        )
        made = PreviewSample.objects.bulk_create(
            PreviewSample(preview=preview, business=business, before=_shown(stored.get(business.pk)))
            for business in samples[:SAMPLES]
        )
        enqueue_many(
            PREVIEW_ENRICHMENT,
            [sample.pk for sample in made],
            operation=Operation.BULK,
            priority=Priority.HIGH,
            actor=actor,
            extras=[{"original_name": sample.business.name} for sample in made],
        )
    return preview


def waiting(preview: Preview) -> int:
    """Return how many samples are still to come."""
    subjects = [str(pk) for pk in preview.samples.filter(after__isnull=True).values_list("pk", flat=True)]
    under_way = [*WAITING, Status.RUNNING]
    jobs = JobExecution.objects.filter(kind=PREVIEW_ENRICHMENT, subject__in=subjects, status__in=under_way)
    return jobs.count()


def preview_enrichments(batch: Batch) -> None:
    """Make each sample of the batch; the handler of `preview_enrichment`."""
    for job in batch.jobs:
        sample = PreviewSample.objects.select_related("preview", "business").filter(pk=job.subject).first()
        try:
            if sample is None:
                raise NotFound("The business, or the preview, does not exist any more.")
            draft = _draft(sample, batch)
        except JobError as error:
            batch.fail(job, error)
            continue
        batch.succeed(job, PREVIEWED)
        batch.before_finish(partial(_write, job.id, sample.pk, draft))


def delete_previews(age: float, limit: int) -> int:
    """Delete up to `limit` previews that are more than `age` seconds old; return how many."""
    ids = list(
        Preview.objects.filter(created_at__lt=ago(age)).order_by("created_at").values_list("pk", flat=True)[:limit]
    )
    Preview.objects.filter(pk__in=ids).delete()
    return len(ids)


def _draft(sample: PreviewSample, batch: Batch) -> Draft:
    version = sample.preview.prompt_version
    if version not in PROMPTS and version != RULES_VERSION:
        raise InvalidInput(f"There is no prompt {version!r} any more.")
    return make(sample.business, version=version, budget=batch.budget if asks_model() else None)


def _write(job_id: UUID, sample_id: UUID, draft: Draft, held: Collection[UUID]) -> Mapping[UUID, Outcome]:
    if job_id in held:
        PreviewSample.objects.filter(pk=sample_id).update(after=_shown(draft))
    return {}


def _shown(made: Enrichment | Draft | None) -> dict[str, Any] | None:
    """Return what people compare."""
    if made is None:
        return None
    return {
        "tags": [*made.tags, *made.free_tags],
        "summary_mn": made.summary_mn,
        "summary_en": made.summary_en,
        "prompt_version": made.prompt_version,
    }
