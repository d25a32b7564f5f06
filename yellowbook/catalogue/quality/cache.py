"""Verdicts of models, kept for a day: the same listing is not paid for twice."""

from hashlib import sha256
from typing import Final

from pydantic import TypeAdapter, ValidationError

from jobs.shared import shared
from yellowbook.catalogue.quality.listing import Listing
from yellowbook.catalogue.quality.prompt import PROMPT_VERSION, prompt_of
from yellowbook.catalogue.quality.verdict import Verdict

#: Seconds for which a verdict is kept.
KEPT_FOR: Final = 86_400.0

_form = TypeAdapter(Verdict)


def kept(listing: Listing, model: str) -> Verdict | None:
    """Return what `model` made of this very content with the present prompt; None when it has to be asked."""
    found = shared.get(_key(listing, model))
    if found is None:
        return None
    try:
        return _form.validate_json(found)
    except ValidationError:
        # Another version of this program wrote it.
        return None


def keep(listing: Listing, verdict: Verdict) -> None:
    """Keep the verdict of a model."""
    shared.put(_key(listing, verdict.checker), _form.dump_json(verdict), seconds=KEPT_FOR)


def _key(listing: Listing, model: str) -> str:
    return f"quality:{PROMPT_VERSION}:{model}:{sha256(prompt_of(listing).encode()).hexdigest()}"
