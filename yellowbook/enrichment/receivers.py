"""Following businesses: whatever is published, or changes its text, is enriched; the rules are in `services`."""

from collections.abc import Collection, Sequence
from typing import Any, Final
from uuid import UUID

from django.dispatch import receiver

from yellowbook.directory.changes import businesses_written
from yellowbook.directory.text import TEXT_FIELDS
from yellowbook.enrichment import services
from yellowbook.enrichment.making import switched_off

#: The fields of a business that decide whether it has to be enriched.
FIELDS: Final = frozenset({*TEXT_FIELDS, "status"})


@receiver(businesses_written)
def follow(ids: Sequence[UUID], fields: Collection[str] | None, created: bool, **_: Any) -> None:
    """Make jobs, in the transaction of the change, for those that need one."""
    if not switched_off() and (fields is None or not FIELDS.isdisjoint(fields)):
        services.enrich_written(ids, created=created)
