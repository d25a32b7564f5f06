"""What the rules make of a listing."""

from collections.abc import Iterable
from typing import Final

# Imported for the rules that they declare.
from yellowbook.catalogue.quality import completeness, duplicates, spam  # noqa: F401
from yellowbook.catalogue.quality.listing import Candidate
from yellowbook.catalogue.quality.registry import RULES, Rule
from yellowbook.catalogue.quality.verdict import RULES_CHECKER, Decision, Verdict

#: Of an approval: rules find what is crude, and nothing else.
APPROVAL_CONFIDENCE: Final = 0.6

_SEVERITY: Final = list(Decision)


def by_rules(candidate: Candidate, rules: Iterable[Rule] | None = None) -> Verdict:
    """Apply `rules`, else all: the decision is the worst one, with the reasons of every rule that found something.

    The confidence is that of the surest rule which leads to that decision.
    """
    failed = [
        (rule, reason)
        for rule in (RULES.values() if rules is None else rules)
        if (reason := rule.test(candidate)) is not None
    ]
    decision = max((rule.decision for rule, _ in failed), key=_SEVERITY.index, default=Decision.APPROVED)
    confidence = max((rule.confidence for rule, _ in failed if rule.decision is decision), default=APPROVAL_CONFIDENCE)
    return Verdict(
        decision=decision,
        reasons=tuple(reason for _, reason in failed),
        confidence=confidence,
        checker=RULES_CHECKER,
        prompt_version="",
    )


def beyond_listing(candidate: Candidate) -> Verdict:
    """Apply only those rules that know more than a model would."""
    return by_rules(candidate, [rule for rule in RULES.values() if rule.beyond_listing])
