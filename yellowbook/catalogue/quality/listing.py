"""What is judged: a business as it would be shown."""

from dataclasses import asdict, dataclass
from typing import Self
from uuid import UUID

from yellowbook.directory.models import Business


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The content of a listing."""

    name: str
    category: str
    description: str
    address: str
    city: str
    phone: str
    email: str
    website: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A listing, and the business that it is of."""

    business_id: UUID
    #: Identifies the embedded text.
    text_hash: str
    listing: Listing

    @classmethod
    def of(cls, business: Business) -> Self:
        """Read a stored business."""
        content = {name: getattr(business, name) for name in Listing.__dataclass_fields__}
        return cls(business_id=business.pk, text_hash=business.text_hash, listing=Listing(**content))


def content_of(listing: Listing) -> dict[str, str]:
    """Return the fields that say something."""
    return {name: value for name, value in asdict(listing).items() if value.strip()}
