"""The rules by which a listing is judged. A rule is declared in one place, where its function stands.

@rule(Decision.FLAGGED, confidence=0.8)
def upside_down(candidate: Candidate) -> str | None:
    ...
"""

from collections.abc import Callable
from dataclasses import dataclass

from yellowbook.catalogue.quality.listing import Candidate
from yellowbook.catalogue.quality.verdict import Decision

#: Returns a short sentence in English about what is wrong, or None.
Test = Callable[[Candidate], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A test, and what it means that a listing fails it."""

    name: str
    test: Test
    decision: Decision
    #: 0 to 1: how often a listing that fails deserves the decision, as far as anybody knows.
    confidence: float
    #: Whether it knows of more than the one listing, which is all that a model gets to see.
    beyond_listing: bool


#: In the order of their reasons.
RULES: dict[str, Rule] = {}


def rule(decision: Decision, *, confidence: float, beyond_listing: bool = False) -> Callable[[Test], Test]:
    """Make the decorated test a rule of its name."""

    def register(test: Test) -> Test:
        name = test.__name__
        if name in RULES:
            raise ValueError(f"a rule named {name!r} is already declared")
        RULES[name] = Rule(
            name=name, test=test, decision=decision, confidence=confidence, beyond_listing=beyond_listing
        )
        return test

    return register
