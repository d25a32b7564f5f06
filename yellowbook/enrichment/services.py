"""Asking for enrichments, and the tags of editors."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from embeddings.kinds import GENERATE_EMBEDDING
from jobs.actor import Actor, current_actor
from jobs.enqueue import Enqueued, enqueue, enqueue_many
from jobs.models import Run
from jobs.runs import start_fed_run
from jobs.runs.attend import feed
from jobs.states import Operation, Priority
from yellowbook.directory.changes import tell_written
from yellowbook.directory.models import Business, BusinessStatus
from yellowbook.enrichment.cleaning import MOST_EDITOR_TAGS, plain
from yellowbook.enrichment.handler import WRITTEN_FIELDS
from yellowbook.enrichment.making import needing, switched_off
from yellowbook.enrichment.models import TAG_LENGTH, EditorTags
from yellowbook.enrichment.names import ENRICH_BUSINESS
from yellowbook.enrichment.vocabulary import named

#: The jobs that a business can be processed by.
EMBEDDING: Final = "embedding"
ENRICHMENT: Final = "enrichment"
BOTH: Final = (EMBEDDING, ENRICHMENT)


class NotPossible(Exception):
    """A business can't be processed now; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Processing:
    """The jobs that a request made or joined; None for one that was not asked for, or has nothing to do."""

    embedding: Enqueued | None = None
    enrichment: Enqueued | None = None


def enqueue_business_processing(
    business: Business,
    *,
    triggered_by: str,
    jobs: Iterable[str] = BOTH,
    previous_text_hash: str | None = None,
    prompt_version: str | None = None,
) -> Processing:
    """Have a published business embedded and enriched, or one of both, by jobs of their own; one transaction.

    `previous_text_hash` is the hash of the text that the caller has seen processed: where the text is still the same,
    nothing is made. `prompt_version` is that of the prompt to use, of `yellowbook.enrichment.prompts`; a job that waits
    already is joined and keeps its own. Raises `Business.DoesNotExist`, and `NotPossible` for a business that is not
    published, or where enrichment is asked for but switched off.
    """
    wanted = set(jobs)
    with transaction.atomic():
        stored = Business.objects.select_for_update(no_key=True).get(pk=business.pk)
        if stored.status != BusinessStatus.PUBLISHED:
            raise NotPossible("Only published businesses are processed.")
        if ENRICHMENT in wanted and switched_off():
            raise NotPossible("Enrichment is switched off (ENRICHMENT).")
        if previous_text_hash is not None and previous_text_hash == stored.text_hash:
            return Processing()
        actor = Actor(triggered_by, current_actor().source)
        told = {"original_name": stored.name}
        return Processing(
            embedding=_enqueue(GENERATE_EMBEDDING, stored, actor, told) if EMBEDDING in wanted else None,
            enrichment=(
                _enqueue(ENRICH_BUSINESS, stored, actor, _with_version(told, prompt_version))
                if ENRICHMENT in wanted
                else None
            ),
        )


def enqueue_enrichment(
    business: Business, *, triggered_by: str, previous_text_hash: str | None = None, prompt_version: str | None = None
) -> Enqueued | None:
    """Have a published business enriched; None where its text is the one that the caller names.

    Raises what `enqueue_business_processing` raises.
    """
    return enqueue_business_processing(
        business,
        triggered_by=triggered_by,
        jobs=[ENRICHMENT],
        previous_text_hash=previous_text_hash,
        prompt_version=prompt_version,
    ).enrichment


def enqueue_embedding(
    business: Business, *, triggered_by: str, previous_text_hash: str | None = None
) -> Enqueued | None:
    """Have a published business embedded; None where its text is the one that the caller names.

    Raises what `enqueue_business_processing` raises.
    """
    return enqueue_business_processing(
        business, triggered_by=triggered_by, jobs=[EMBEDDING], previous_text_hash=previous_text_hash
    ).embedding


def enrich_written(ids: Sequence[UUID], *, created: bool) -> list[Enqueued]:
    """Make a job for each of the businesses that needs one; call it in the transaction that wrote them."""
    wanted = list(needing(Business.objects.filter(pk__in=ids)).order_by("pk").values_list("pk", "name"))
    if len(ids) > 1:
        operation, priority = Operation.BULK, Priority.LOW
    else:
        operation, priority = (Operation.CREATE if created else Operation.UPDATE), Priority.NORMAL
    return enqueue_many(
        ENRICH_BUSINESS,
        [pk for pk, _name in wanted],
        operation=operation,
        priority=priority,
        extras=[{"original_name": name} for _pk, name in wanted],
    )


def enrich_all(options: dict[str, Any], *, actor: Actor) -> Run:
    """Start a run over all published businesses that need it; `yellowbook.enrichment.feed` has the options.

    Raises `jobs.runs.RunActive` when one is under way.
    """
    run = start_fed_run(ENRICH_BUSINESS, options, actor=actor)
    feed(run.id)
    return run


def set_editor_tags(business_id: UUID, tags: Sequence[str] | None, *, edited_by: str) -> None:
    """Have these tags stand for a business, whatever is made; None: those that are made stand again.

    A tag that the vocabulary has by this name, or calls so in either language, is stored under its name. Raises
    `Business.DoesNotExist`, and `ValidationError` for tags that are too many, too long or empty; writes nothing then.
    """
    cleaned = None if tags is None else _cleaned(tags)
    with transaction.atomic():
        business = Business.objects.select_for_update(no_key=True).get(pk=business_id)
        if cleaned is None:
            EditorTags.objects.filter(business=business).delete()
        else:
            EditorTags.objects.update_or_create(business=business, defaults={"tags": cleaned, "edited_by": edited_by})
        tell_written([business.pk], WRITTEN_FIELDS)


def _cleaned(tags: Sequence[str]) -> list[str]:
    if len(tags) > MOST_EDITOR_TAGS:
        raise ValidationError({"tags": _("Give at most %(number)s tags.") % {"number": MOST_EDITOR_TAGS}})
    found: dict[str, str] = {}
    for text in tags:
        tag = plain(text)
        if not tag or len(tag) > TAG_LENGTH:
            told = _("A tag has 1 to %(number)s characters, and is no markup.")
            raise ValidationError({"tags": told % {"number": TAG_LENGTH}})
        name = named(tag) or tag
        found.setdefault(name.casefold(), name)
    return list(found.values())


def _enqueue(kind: str, business: Business, actor: Actor, metadata: dict[str, str]) -> Enqueued:
    return enqueue(kind, subject=business.pk, operation=Operation.UPDATE, actor=actor, metadata=metadata)


def _with_version(told: dict[str, str], prompt_version: str | None) -> dict[str, str]:
    return {**told, "prompt_version": prompt_version} if prompt_version else told
