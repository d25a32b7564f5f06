"""Asking for embeddings: of many businesses in the background, of one at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import transaction

from embeddings.kinds import GENERATE_EMBEDDING
from embeddings.source import text_source
from jobs.actor import Actor
from jobs.budget import Budget
from jobs.enqueue import Enqueued, enqueue_many
from jobs.execute import work_off
from jobs.kinds import get_kind
from jobs.lifecycle import claim_one, enter
from jobs.lifecycle.enter import origin
from jobs.models import JobExecution, Run
from jobs.runs import start_fed_run, start_run
from jobs.runs.attend import feed
from jobs.runs.forecast import forecast_new
from jobs.runs.start import active_run, feed_of
from jobs.states import Operation, Priority
from jobs.workers import worker_name


class NoBudget(Exception):
    """The provider's quota allows nothing for another `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"The provider's quota is used up for another {seconds:.0f} s.")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Bulk:
    """What a bulk request came to."""

    run: Run
    entries: list[Enqueued]
    not_found: list[UUID] = field(default_factory=list)

    @property
    def queued(self) -> int:
        """Jobs that were made."""
        return sum(entry.created for entry in self.entries)

    @property
    def skipped(self) -> int:
        """Businesses for which a job waited already."""
        return len(self.entries) - self.queued


def embed_many(ids: Sequence[UUID], *, priority: str, actor: Actor) -> Bulk:
    """Make sure that a job waits for each of the businesses; unknown ids are reported, not an error."""
    wanted = list(dict.fromkeys(ids))
    labels = text_source().labels(wanted)
    known = [business_id for business_id in wanted if business_id in labels]
    with transaction.atomic():
        run = start_run(GENERATE_EMBEDDING, total=len(known), actor=actor)
        entries = enqueue_many(
            GENERATE_EMBEDDING,
            known,
            operation=Operation.BULK,
            priority=priority,
            actor=actor,
            extras=[{"original_name": labels[business_id]} for business_id in known],
            run=run,
        )
    return Bulk(run=run, entries=entries, not_found=[each for each in wanted if each not in labels])


def embed_all(options: Mapping[str, Any], *, actor: Actor) -> Run:
    """Start a run over the whole table, or what `options` leaves of it; see `embeddings.feed` for them.

    Raises `jobs.runs.RunActive` when one is under way.
    """
    run = start_fed_run(GENERATE_EMBEDDING, options, actor=actor)
    feed(run.id)
    return run


def latest_run() -> Run | None:
    """Return the run under way, else the last one over the whole table, else the last one of all."""
    runs = Run.objects.filter(kind=GENERATE_EMBEDDING).order_by("-created_at")
    return active_run(GENERATE_EMBEDDING) or runs.filter(fed=True).first() or runs.first()


def dry_run(options: Mapping[str, Any]) -> dict[str, Any]:
    """Say what a run with these options would come to; nothing is written."""
    kind = get_kind(GENERATE_EMBEDDING)
    estimate = feed_of(kind).estimate(options)
    expected = forecast_new(kind.name, estimate.texts, estimate.tokens)
    return {
        "dry_run": True,
        "total": estimate.total,
        "unchanged": estimate.free.get("unchanged", 0),
        "cached": estimate.free.get("cached", 0),
        "too_long": estimate.too_long,
        "texts": estimate.texts,
        "tokens": estimate.tokens,
        "cost_usd": estimate.cost,
        "eta_seconds": expected.seconds,
        "forecast": expected.sentence,
    }


def embed_now(business_id: UUID, *, actor: Actor) -> JobExecution:
    """Embed one business in this process and return its job as it ended.

    The job is made and claimed in one transaction, so no worker competes for it; a failed attempt is retried by the
    workers later like any other. Raises `LookupError` for an unknown business, `NoBudget` when the provider's quota
    is used up.
    """
    kind = get_kind(GENERATE_EMBEDDING)
    label = text_source().labels([business_id]).get(business_id)
    if label is None:
        raise LookupError(f"There is no business {business_id}.")
    budget = Budget.open(kind, 1)
    if budget.units == 0:
        raise NoBudget(budget.short_for)
    with transaction.atomic():
        entry = enter(
            kind.name,
            [str(business_id)],
            operation=Operation.UPDATE,
            priority=Priority.HIGH,
            max_retries=kind.max_retries,
            metadata={**origin(actor), "original_name": label},
        )[0]
        claimed = claim_one(kind, entry.job_id, worker=worker_name())
    work_off(claimed, budget)
    return JobExecution.objects.get(id=entry.job_id)
