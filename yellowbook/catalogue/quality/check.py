"""The one way to a verdict on a business."""

from dataclasses import replace
from uuid import UUID

import structlog

from jobs.budget import Budget
from jobs.errors import NotFound
from yellowbook.catalogue.quality import cache
from yellowbook.catalogue.quality.by_model import by_model
from yellowbook.catalogue.quality.by_rules import beyond_listing, by_rules
from yellowbook.catalogue.quality.duplicates import not_compared
from yellowbook.catalogue.quality.listing import Candidate, Listing
from yellowbook.catalogue.quality.verdict import Decision, Verdict
from yellowbook.directory.models import Business
from yellowbook.llm import available, current_model

log = structlog.get_logger(__name__)


def check(business_id: UUID, *, budget: Budget | None = None) -> Verdict:
    """Decide whether a business may go live, as it is stored now; changes nothing.

    Without a key the rules decide. With one, the model of `LLM_MODEL` does, unless it has judged this very content
    within a day, or the business looks like a duplicate, of which a model knows nothing: that is flagged by the rules,
    and no call is made.

    `budget` is that of a lane whose throttle is `yellowbook.llm.llm_throttle`; what was not needed is given back.
    Raises `NotFound`, and what `yellowbook.llm.generate` raises. Never call it inside a transaction.
    """
    business = Business.objects.filter(pk=business_id).first()
    if business is None:
        raise NotFound("The business does not exist any more.")
    candidate = Candidate.of(business)
    verdict = _without_model(candidate)
    cached = False
    if verdict is None:
        model = current_model()
        verdict = cache.kept(candidate.listing, model)
        cached = verdict is not None
    if verdict is None:
        verdict = _asked(candidate.listing, model, budget)
    elif budget is not None:
        budget.keep(0)
    log.info(
        "quality_checked",
        business_id=str(business_id),
        decision=str(verdict.decision),
        checker=verdict.checker,
        blocked=verdict.blocked,
        cached=cached,
    )
    return _noted(candidate, verdict)


def _without_model(candidate: Candidate) -> Verdict | None:
    """Return the rules' verdict; None when a model has to be heard."""
    if not available():
        return by_rules(candidate)
    verdict = beyond_listing(candidate)
    return None if verdict.decision is Decision.APPROVED else verdict


def _asked(listing: Listing, model: str, budget: Budget | None) -> Verdict:
    verdict = by_model(listing, model=model, budget=budget)
    cache.keep(listing, verdict)
    return verdict


def _noted(candidate: Candidate, verdict: Verdict) -> Verdict:
    """Add to an approval that it was given without looking for duplicates, where there might be one."""
    note = not_compared(candidate) if verdict.decision is Decision.APPROVED else None
    return replace(verdict, reasons=(*verdict.reasons, note)) if note else verdict
