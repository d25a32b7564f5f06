"""Asking for similar businesses to be computed."""

from uuid import UUID

from django.db import transaction

from jobs.actor import Actor
from jobs.enqueue import Enqueued, enqueue
from jobs.models import Run
from jobs.runs import start_fed_run
from jobs.runs.attend import feed
from jobs.states import Operation
from yellowbook.directory.models import Business
from yellowbook.similarity.marks import COMPUTE_SIMILARITY, mark


def compute_now(business_id: UUID, *, actor: Actor) -> Enqueued | None:
    """Have one business's list computed before others; None when it has no vector to compare.

    Raises `Business.DoesNotExist`.
    """
    with transaction.atomic():
        category = Business.objects.values_list("category", flat=True).get(pk=business_id)
        if not mark([business_id], listed=False):
            return None
        return enqueue(COMPUTE_SIMILARITY, subject=category, operation=Operation.UPDATE, priority="high", actor=actor)


def compute_all(*, actor: Actor) -> Run:
    """Start a run over all businesses; raises `jobs.runs.RunActive` when one is under way."""
    run = start_fed_run(COMPUTE_SIMILARITY, {}, actor=actor)
    feed(run.id)
    return run
