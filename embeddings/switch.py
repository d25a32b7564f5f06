"""Changing the model that serves: in one step, for all processes, and back.

What the new model lacks at that moment, because texts changed meanwhile, is made by a run that begins in the very
transaction of the switch. Jobs under way that were embedded for the old model go back (`embeddings.generate`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, F, Q
from django.db.models.functions import Now

from embeddings.ann import drop_index
from embeddings.current import SWITCH_LOCK, current_model, hold_current_model, provider_for
from embeddings.feed import EmbeddingFeed
from embeddings.kinds import GENERATE_EMBEDDING
from embeddings.models import Embedding, ServingModel
from embeddings.providers import vendor
from embeddings.quota import embedding_throttle
from embeddings.signals import model_switched
from embeddings.source import text_source
from jobs.actor import Actor
from jobs.models import Run
from jobs.runs import RunActive, start_fed_run
from jobs.runs.attend import feed
from jobs.runs.start import ACTIVE

#: Vectors that are deleted in one transaction.
DROP_SIZE = 5_000


class CantSwitch(Exception):
    """The message says why the model can't be switched, or dropped, and what to do."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many of the businesses have a vector of their present text by a model."""

    model: str
    fresh: int
    total: int

    @property
    def missing(self) -> int:
        """Businesses without one."""
        return self.total - self.fresh

    @property
    def percentage(self) -> float:
        """0 to 100; 100 only when all have one."""
        if not self.missing:
            return 100.0
        return min(99.99, round(100 * self.fresh / self.total, 2))


@dataclass(frozen=True, slots=True)
class Switched:
    """A switch that took place."""

    model: str
    previous: str
    #: What catches up with the texts that changed; None when another run is in the way.
    run: Run | None
    in_the_way: Run | None


def serving_row() -> ServingModel | None:
    """Return what is known of the last switch; None when there was none."""
    return ServingModel.objects.filter(vendor=vendor(settings.EMBEDDING_PROVIDER)).first()


def coverage_of(model: str) -> Coverage:
    """Count the fresh vectors of one model."""
    total = text_source().subjects().count()
    return Coverage(model, max(0, total - EmbeddingFeed().count({"model": model})), total)


def models() -> list[dict[str, Any]]:
    """Return every model that has vectors: {model, vectors, fresh}."""
    fresh = Count("id", filter=Q(text_hash=F("business__text_hash")))
    rows = Embedding.objects.values("model").annotate(vectors=Count("id"), fresh=fresh).order_by("model")
    return [dict(row) for row in rows]


def switch(model: str, *, expected: str, actor: Actor) -> Switched:
    """Have `model` serve instead of `expected`, in one step for all processes.

    Raises `CantSwitch` when another model than `expected` serves by now, or `model` does.
    """
    # Before anybody spends from its budget: what was sent to it meanwhile was paid for from another one's.
    embedding_throttle(model).forget()
    with transaction.atomic():
        run, in_the_way = _catch_up(model, actor)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SWITCH_LOCK])
        serving = current_model()
        if serving == model:
            raise CantSwitch(f"{model} serves already.")
        if serving != expected:
            raise CantSwitch(f"{serving} serves by now, not {expected} any more: look again.")
        ServingModel.objects.update_or_create(
            vendor=vendor(settings.EMBEDDING_PROVIDER),
            defaults={
                "model": model,
                "previous": serving,
                "switched_at": Now(),
                "switched_by": actor.triggered_by,
            },
        )
        model_switched.send(ServingModel, model=model)
    if run is not None:
        feed(run.id)
    return Switched(model, serving, run, in_the_way)


def _catch_up(model: str, actor: Actor) -> tuple[Run | None, Run | None]:
    """Begin a run over what `model` lacks; return it, or the run that is in its way.

    It begins even if nothing is lacking: until the switch, jobs may store vectors by the old model alone.
    """
    try:
        return start_fed_run(GENERATE_EMBEDDING, {"model": model}, actor=actor), None
    except RunActive as error:
        return None, error.run


def rollback(*, actor: Actor) -> Switched:
    """Have the model serve again that served before; raises `CantSwitch` when there is none, or it has no vectors."""
    row = serving_row()
    if row is None:
        raise CantSwitch(f"There is no model to go back to: nothing was ever switched, and {current_model()} serves.")
    if not row.previous:
        raise CantSwitch(f"There is no model to go back to: the vectors of the one before {row.model} were dropped.")
    if not Embedding.objects.filter(model=row.previous).exists() and text_source().subjects().exists():
        raise CantSwitch(f"{row.previous} has no vectors any more: switch_model {row.previous} makes them.")
    provider_for(row.previous)
    return switch(row.previous, expected=row.model, actor=actor)


def drop(model: str) -> Iterator[int]:
    """Delete a model's vectors in batches, yielding how many each one was.

    Raises `CantSwitch` when it serves, begins to serve meanwhile, or when a run fills it.
    """
    with transaction.atomic():
        _refuse_in_use(model)
        ServingModel.objects.filter(previous=model).update(previous="")
    drop_index(model)
    while True:
        with transaction.atomic():
            _refuse_in_use(model)
            # A row that is being written now is left to the next batch.
            rows = Embedding.objects.filter(model=model).select_for_update(skip_locked=True)
            ids = list(rows.values_list("id", flat=True)[:DROP_SIZE])
            Embedding.objects.filter(id__in=ids).delete()
        if not ids:
            return
        yield len(ids)


def _refuse_in_use(model: str) -> None:
    """Raise `CantSwitch` for a model whose vectors are needed; nobody can switch to it in this transaction."""
    if hold_current_model() == model:
        raise CantSwitch(f"{model} serves: its vectors can't be dropped. Switch to another model first.")
    run = Run.objects.filter(kind=GENERATE_EMBEDDING, fed=True, state__in=ACTIVE, options__model=model).first()
    if run is not None:
        raise CantSwitch(f"Run {run.id} fills {model} in: stop it first.")
