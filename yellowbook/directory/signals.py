"""Receivers that notice saves and deletions of businesses, whoever makes them; the rules are in `services`."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from django.db.models.signals import post_save, pre_delete, pre_save
from django.dispatch import receiver

from embeddings.sketches.changes import note_changes
from yellowbook.directory import selectors, services
from yellowbook.directory.changes import businesses_written, tell_written
from yellowbook.directory.embedding_source import source
from yellowbook.directory.models import Business
from yellowbook.directory.text import TEXT_FIELDS


@receiver(pre_save, sender=Business)
def remember_stored_text(instance: Business, raw: bool, update_fields: Collection[str] | None, **_: Any) -> None:
    """Keep the stored text of a row that is about to be rewritten, under a lock until that is done."""
    touched = update_fields is None or not set(TEXT_FIELDS).isdisjoint(update_fields)
    if touched and not raw and not instance._state.adding and instance.stored_text is None:
        instance.stored_text = selectors.stored_text(instance.pk)


@receiver(post_save, sender=Business)
def follow_text(instance: Business, created: bool, raw: bool, update_fields: Collection[str] | None, **_: Any) -> None:
    """Have a new or changed text embedded. Fixtures (`raw`) are left alone: what they lack shows up as uncovered."""
    if not raw and (created or instance.text_differs(update_fields)):
        services.text_changed(instance, created=created)


@receiver(post_save, sender=Business)
def tell_features(
    instance: Business, created: bool, raw: bool, update_fields: Collection[str] | None, **_: Any
) -> None:
    """Tell other features what was written."""
    if not raw:
        tell_written([instance.pk], update_fields, created=created)


@receiver(businesses_written)
def note_facets(ids: Sequence[UUID], fields: Collection[str] | None, created: bool, **_: Any) -> None:
    """Tell of changes to what neighbours are narrowed by. A new business has no vector, so it is nobody's neighbour."""
    if not created and (fields is None or not set(source.facets).isdisjoint(fields)):
        note_changes(ids)


@receiver(pre_delete, sender=Business)
def call_off_jobs(instance: Business, **_: Any) -> None:
    """Call off the waiting jobs of a business in the transaction that deletes it."""
    services.business_deleted(instance)
