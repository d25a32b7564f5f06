"""The subjects of a run over all embeddings: which ones need a vector, and what that would cost.

Options: `model` (whose vectors are made; else the one that serves), `skip_existing` (true: leave out what has a vector
of its present text), `stale_only` (only what has a vector, but none of its present text by the model), `category`,
`force` (embed again even what is unchanged), and those of every run: `resume_from`, `limit`.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import CharField, Count, Exists, F, OuterRef, Q, QuerySet, Sum, Value
from django.db.models.functions import Cast, Least

from embeddings.current import current_model
from embeddings.forms import EmbeddingRunForm
from embeddings.freshness import fresh_vector
from embeddings.models import Embedding
from embeddings.prepare import CHARACTERS_PER_TOKEN
from embeddings.providers import provider_class
from embeddings.source import text_source
from jobs.models import JobExecution
from jobs.runs.feeds import Estimate, Item, Options
from jobs.runs.forms import RunForm

#: Options that choose subjects by their own fields.
FILTERS = ("category",)


class EmbeddingFeed:
    """A `jobs.runs.feeds.Feed`."""

    form: type[RunForm] = EmbeddingRunForm

    def count(self, options: Options) -> int:
        """Return how many businesses need a job."""
        return _wanted(options).count()

    def page(self, options: Options, *, run_id: UUID, after: str, limit: int) -> list[Item]:
        """Return the next businesses, in the order of their ids."""
        made = JobExecution.objects.filter(run_id=run_id, subject=Cast(OuterRef("pk"), CharField()))
        wanted = _wanted(options).filter(~Exists(made))
        if after:
            wanted = wanted.filter(pk__gt=UUID(after))
        ids: list[UUID] = list(wanted.order_by("pk").values_list("pk", flat=True)[:limit])
        labels = text_source().labels(ids)
        asked = {name: options[name] for name in ("model", "force") if options.get(name)}
        return [Item(str(each), {"original_name": labels.get(each, ""), **asked}) for each in ids]

    def estimate(self, options: Options) -> Estimate:
        """Count, and add up; tokens are those that the budget would count, which is the most that they can be."""
        model = _model(options)
        wanted = _first(_wanted(options), options.get("limit"))
        fresh = _in_scope(options).filter(Exists(fresh_vector(model))).count()
        limit = int(provider_class(settings.EMBEDDING_PROVIDER).max_tokens * CHARACTERS_PER_TOKEN)
        sized = wanted.annotate(length=text_source().text_length())
        total, too_long = sized.aggregate(total=Count("pk"), too_long=Count("pk", filter=Q(length__gt=limit))).values()
        free: dict[str, int] = {}
        if options.get("force"):
            sent = sized
        else:
            fresh_in_run = wanted.filter(Exists(fresh_vector(model))).count()
            sized = sized.filter(~Exists(fresh_vector(model)))
            stored = Embedding.objects.filter(model=model, text_hash=OuterRef("text_hash"))
            sent = sized.filter(~Exists(stored)).order_by("text_hash").distinct("text_hash")
            free = {"unchanged": fresh, "cached": total - fresh_in_run - sent.count()}
        chosen = _in_scope({}).filter(pk__in=sent.values("pk")).annotate(length=text_source().text_length())
        tokens = chosen.aggregate(
            texts=Count("pk"), tokens=Sum(Least(F("length"), Value(limit)) / int(CHARACTERS_PER_TOKEN) + 1)
        )
        return Estimate(
            total=total,
            free=free,
            too_long=too_long,
            texts=tokens["texts"],
            tokens=tokens["tokens"] or 0,
            cost=round((tokens["tokens"] or 0) / 1e6 * settings.EMBEDDING_PRICE, 6),
        )


def _in_scope(options: Mapping[str, Any]) -> QuerySet[Any]:
    chosen = {name: str(options[name]) for name in FILTERS if options.get(name)}
    subjects: QuerySet[Any] = text_source().subjects(**chosen)
    if options.get("resume_from"):
        subjects = subjects.filter(pk__gt=UUID(options["resume_from"]))
    return subjects


def _model(options: Mapping[str, Any]) -> str:
    return str(options.get("model") or current_model())


def _first(subjects: QuerySet[Any], limit: int | None) -> QuerySet[Any]:
    """Return the first so many, as a query that can be narrowed further."""
    return _in_scope({}).filter(pk__in=subjects.order_by("pk").values("pk")[:limit]) if limit else subjects


def _wanted(options: Mapping[str, Any]) -> QuerySet[Any]:
    subjects, fresh = _in_scope(options), Exists(fresh_vector(_model(options)))
    if options.get("stale_only"):
        vectors = Embedding.objects.filter(business_id=OuterRef("pk"))
        return subjects.filter(Exists(vectors), ~fresh)
    if options.get("skip_existing", True) and not options.get("force"):
        return subjects.filter(~fresh)
    return subjects
