"""What the model thinks of a listing."""

from typing import Final, Literal

from pydantic import BaseModel, Field

from jobs.budget import Budget
from jobs.clean import clean
from yellowbook.catalogue.quality.listing import Listing
from yellowbook.catalogue.quality.prompt import PROMPT_VERSION, SYSTEM, prompt_of
from yellowbook.catalogue.quality.verdict import Decision, Verdict
from yellowbook.llm import Blocked, generate

#: Reasons that are kept, and characters of each.
MOST_REASONS: Final = 5
LONGEST_REASON: Final = 200
#: Of a verdict about a listing that the model's owner would not have judged: it may be harmless.
BLOCKED_CONFIDENCE: Final = 0.5


class Opinion(BaseModel):
    """The form of the model's answer. The order is that of thinking: the reasons come before what follows from them."""

    reasons: list[str]
    decision: Literal["approved", "flagged", "rejected"]
    confidence: float = Field(ge=0, le=1)


def by_model(listing: Listing, *, model: str, budget: Budget | None = None) -> Verdict:
    """Ask `model`; raises what `yellowbook.llm.generate` raises. A listing that it refuses to judge is flagged."""
    answer = generate(prompt_of(listing), schema=Opinion, system=SYSTEM, model=model, budget=budget)
    if isinstance(answer, Blocked):
        return Verdict(
            decision=Decision.FLAGGED,
            reasons=(f"The model refused to judge it: {answer.reason}.",),
            confidence=BLOCKED_CONFIDENCE,
            checker=model,
            prompt_version=PROMPT_VERSION,
            blocked=True,
        )
    decision = Decision(answer.value.decision)
    reasons = _sentences(answer.value.reasons)
    if not reasons and decision is not Decision.APPROVED:
        reasons = ("The model gave no reason.",)
    return Verdict(
        decision=decision,
        reasons=reasons,
        confidence=answer.value.confidence,
        checker=model,
        prompt_version=PROMPT_VERSION,
    )


def _sentences(reasons: list[str]) -> tuple[str, ...]:
    """Bring what the model wrote to a few short lines without secrets, that a database can store."""
    lines = (" ".join(clean(reason).split())[:LONGEST_REASON] for reason in reasons)
    return tuple(line for line in lines if line)[:MOST_REASONS]
