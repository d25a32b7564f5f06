"""Rules about what a listing has to say."""

from typing import Final

from yellowbook.catalogue.quality.listing import Candidate
from yellowbook.catalogue.quality.registry import rule
from yellowbook.catalogue.quality.verdict import Decision

REQUIRED: Final = ("name", "category", "address")
WAYS_TO_REACH: Final = ("phone", "email", "website")


@rule(Decision.REJECTED, confidence=1.0)
def fields_missing(candidate: Candidate) -> str | None:
    """A required field is blank."""
    missing = [name for name in REQUIRED if not getattr(candidate.listing, name).strip()]
    return f"It has no {' and no '.join(missing)}." if missing else None


@rule(Decision.FLAGGED, confidence=0.9)
def unreachable(candidate: Candidate) -> str | None:
    """Nobody could call, write or visit its site."""
    if any(getattr(candidate.listing, name).strip() for name in WAYS_TO_REACH):
        return None
    return "There is no phone, email or website to reach it by."
