"""What a site says of a listing beside what the directory shows."""

from dataclasses import dataclass

from yellowbook.catalogue.models import Listing
from yellowbook.directory.models import Business


@dataclass(frozen=True, slots=True)
class Value:
    """A field of a business."""

    #: In the reader's language.
    name: str
    told: object
    shown: object
    #: Whether a person wrote what is shown, so that no sync does.
    edited: bool


def told_and_shown(listing: Listing) -> list[Value]:
    """Return the fields that a sync has written, if they say anything or were edited since; one query at most."""
    business = Business.objects.filter(pk=listing.business_id).first() if listing.business_id else None
    edited = listing.edited({name: getattr(business, name) for name in listing.written}) if business else set()
    fields = [field for field in Business._meta.concrete_fields if field.name in listing.written]
    values = [
        Value(
            str(field.verbose_name),
            listing.told.get(field.name),
            getattr(business, field.name, None),
            field.name in edited,
        )
        for field in fields
    ]
    return [each for each in values if each.told or each.edited]
