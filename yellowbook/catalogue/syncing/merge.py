"""From what a page says to listings and businesses.

A listing remembers what syncs have written into its business. A field that differs there was edited by a person, and no
sync writes it again.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import F

from jobs.enqueue import enqueue_many
from jobs.states import Operation
from yellowbook.catalogue.extract.item import Item
from yellowbook.catalogue.models import Listing, Page, Sync
from yellowbook.catalogue.stages.kinds import QUALITY_CONTROL
from yellowbook.directory.models import Business, BusinessStatus
from yellowbook.directory.parsers import Record
from yellowbook.directory.rows import Rejection, missing, read_row
from yellowbook.directory.services import create_business, update_business

Stage = Listing.Stage

#: Stages that a sync leaves alone, whatever it reads.
_LEFT_ALONE: Final = frozenset({Stage.HELD})


def merge(page: Page, items: Sequence[Item]) -> None:
    """Take over what a page says of some listings, and count them; call it in a transaction that holds the page."""
    listings = Listing.objects.select_for_update(of=("self",), no_key=True).select_related("page")
    known = {each.external_id: each for each in listings.filter(source=page.source_id, external_id__in=_ids(items))}
    counts = dict.fromkeys(("new", "changed", "unchanged", "rejected"), 0)
    to_check: list[Listing] = []
    for item in {item.external_id: item for item in items}.values():
        outcome, listing = _merged(page, item, known.get(item.external_id))
        counts[outcome] += 1
        if listing is not None and listing.stage in {Stage.QUALITY, Stage.INVALID}:
            to_check.append(listing)
    enqueue_many(
        QUALITY_CONTROL,
        [listing.pk for listing in to_check],
        operation=Operation.UPDATE,
        extras=[{"original_name": listing.name} for listing in to_check],
    )
    Sync.objects.filter(pages=page).update(**{name: F(name) + count for name, count in counts.items()})


def _merged(page: Page, item: Item, listing: Listing | None) -> tuple[str, Listing | None]:
    """Return what became of an item, and its listing if that was written."""
    told_hash = item.content_hash()
    if listing is not None:
        elsewhere = listing.page is not None and listing.page_id != page.pk and listing.page.sync_id == page.sync_id
        same = listing.told_hash == told_hash and not listing.missed and listing.page_id == page.pk
        if elsewhere or same:
            # Of a listing that several pages tell of, the first one counts.
            return "unchanged", None
    outcome = "new" if listing is None else "changed" if listing.told_hash != told_hash else "unchanged"
    listing = listing or Listing(source_id=page.source_id, external_id=item.external_id, stage=Stage.EMBEDDING)
    known_before = bool(listing.told_hash)
    back = listing.stage == Stage.VANISHED
    listing.page, listing.told, listing.told_hash, listing.missed = page, item.values(), told_hash, 0
    listing.name = item.name
    listing.provenance = _provenance(item)
    if outcome != "unchanged" or back or not known_before:
        problem = _take_over(listing, item)
        if problem:
            listing.reason = problem
            outcome = "rejected"
    listing.save()
    return outcome, listing if outcome != "unchanged" or back else None


def _take_over(listing: Listing, item: Item) -> str:
    """Write what an item says into the listing's business; return what makes that impossible."""
    row = read_row(Record(0, {name: value for name, value in item.values().items() if name != "external_id"}))
    if isinstance(row, Rejection):
        return _invalid(listing, row.errors)
    if listing.stage in _LEFT_ALONE:
        return ""
    try:
        if listing.business_id is None:
            _create(listing, row.values)
        else:
            _change(listing, listing.business_id, row.values)
    except ValidationError as error:
        return _invalid(listing, error.message_dict)
    return ""


def _create(listing: Listing, values: Mapping[str, Any]) -> None:
    if listing.written:
        # It had a business, which a person has deleted.
        listing.stage, listing.reason = Stage.HELD, "Its business was deleted."
        return
    lacking = missing(values)
    if lacking:
        raise ValidationError(lacking)
    written = {**values, "status": BusinessStatus.PENDING.value}
    listing.business = create_business(written)
    listing.written = written
    listing.stage, listing.reason = Stage.EMBEDDING, ""


def _change(listing: Listing, business_id: UUID, values: Mapping[str, Any]) -> None:
    business = Business.objects.select_for_update(no_key=True).get(pk=business_id)
    edited = listing.edited({name: getattr(business, name) for name in listing.written})
    wanted = {name: value for name, value in values.items() if name not in edited}
    if listing.stage == Stage.VANISHED and "status" not in edited:
        wanted["status"] = BusinessStatus.PENDING.value
    written = update_business(business.pk, wanted)
    listing.written = {**listing.written, **wanted}
    listing.stage, listing.reason = (Stage.EMBEDDING if written.embedding_job else Stage.QUALITY), ""


def _invalid(listing: Listing, errors: Mapping[str, Sequence[str]]) -> str:
    """Hold a listing that makes no business; one that made a business before stays as it was."""
    told = "; ".join(f"{name}: {' '.join(messages)}" for name, messages in sorted(errors.items()))
    if listing.business_id is None:
        listing.stage = Stage.INVALID
    return told


def _provenance(item: Item) -> dict[str, str]:
    fetched_at = item.provenance.fetched_at
    return {
        "url": item.provenance.url,
        "parser": item.provenance.parser,
        "fetched_at": fetched_at.isoformat() if fetched_at else "",
    }


def _ids(items: Sequence[Item]) -> list[str]:
    return sorted({item.external_id for item in items})
