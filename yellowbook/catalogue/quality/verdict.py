"""What comes of a check."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

#: The checker of verdicts that no model gave.
RULES_CHECKER: Final = "rules"


class Decision(StrEnum):
    """Whether a listing may go live."""

    #: It may.
    APPROVED = "approved"
    #: A person should look at it first.
    FLAGGED = "flagged"
    #: It may not.
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A decision, and what led to it."""

    decision: Decision
    #: Short sentences in English; written by a model they may repeat what the listing says.
    reasons: tuple[str, ...]
    #: 0 to 1.
    confidence: float
    #: `rules`, or the name of the model.
    checker: str
    #: That of the prompt which the model was asked with; empty for the rules.
    prompt_version: str
    #: Whether the model's owner refused to have the listing judged.
    blocked: bool = False
