"""What must hold of the rows. An app declares its own in an `invariants.py`:

register(Invariant("orders_have_lines", "Every order has a line.", find_empty_orders, "Delete them."))
"""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

import structlog
from django.db.models import F
from django.db.models.functions import Now

from jobs.clean import clean
from jobs.upkeep.bounded import bounded
from jobs.upkeep.models import AuditResult

log = structlog.get_logger(__name__)

#: Examples that are kept of each violated invariant.
EXAMPLES = 10
#: Seconds that one statement may take.
STATEMENT = 30.0


@dataclass(frozen=True, slots=True)
class Finding:
    """How many rows violate an invariant, and some of them in a few words each."""

    count: int = 0
    examples: list[str] = field(default_factory=list)


#: Counts the violations and names up to so many. Asks in statements that stay short however many rows there are, and
#: leaves out what is merely in motion.
Find = Callable[[int], Finding]
#: Mends what it can and returns how many rows it dealt with. Safe to run at any time, and twice.
Repair = Callable[[], int]


@dataclass(frozen=True, slots=True)
class Invariant:
    """Something that must hold of the rows."""

    #: Stays the same for ever: rows and metrics go by it.
    name: str
    #: What must hold, as a sentence.
    title: str
    find: Find
    #: What the repair does or, where there is none, what a person can do; as a sentence.
    remedy: str
    repair: Repair | None = None


_invariants: dict[str, Invariant] = {}


def register(invariant: Invariant) -> Invariant:
    """Make an invariant known; names are unique."""
    if _invariants.setdefault(invariant.name, invariant) is not invariant:
        raise ValueError(f"an invariant named {invariant.name!r} is already declared")
    return invariant


def invariants() -> list[Invariant]:
    """Return all invariants, in the order in which they were declared."""
    return list(_invariants.values())


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of checking one invariant: a finding, or the error that kept it from being checked."""

    invariant: Invariant
    finding: Finding
    seconds: float
    error: str = ""

    @property
    def holds(self) -> bool:
        """Whether it was checked and nothing violates it."""
        return not (self.error or self.finding.count)


def audit(
    only: Collection[str] = (),
    *,
    within: float | None = None,
    clock: Callable[[], float] = time.monotonic,
    on_verdict: Callable[[Verdict], object] = lambda verdict: None,
) -> list[Verdict]:
    """Check all invariants, or those named in `only`, and store what was found.

    What was checked longest ago comes first. After `within` seconds no further one is begun: the next audit does. An
    invariant that can't be checked keeps what was found before, and the others from nothing.
    """
    chosen = [_named(name) for name in only] or _longest_ago_first()
    if not only:
        AuditResult.objects.exclude(name__in=_invariants).delete()
    started = clock()
    verdicts: list[Verdict] = []
    for invariant in chosen:
        if within is not None and clock() - started > within:
            log.warning("audit_cut_short", left=len(chosen) - len(verdicts))
            break
        verdict = check(invariant, clock=clock)
        _store(verdict)
        verdicts.append(verdict)
        on_verdict(verdict)
    return verdicts


def check(invariant: Invariant, *, clock: Callable[[], float] = time.monotonic) -> Verdict:
    """Check one invariant, with bounded statements."""
    started = clock()
    error = ""
    finding = Finding()
    try:
        with bounded(STATEMENT):
            finding = invariant.find(EXAMPLES)
    except Exception as failure:
        error = clean(f"{type(failure).__name__}: {failure}").strip()
        log.exception("invariant_not_checked", invariant=invariant.name)
    if finding.count:
        log.error("invariant_violated", invariant=invariant.name, count=finding.count, examples=finding.examples)
    return Verdict(invariant, finding, round(clock() - started, 3), error)


def repair(verdicts: Sequence[Verdict]) -> dict[str, int]:
    """Mend what can be mended of what was found violated; return how many rows each repair dealt with."""
    done: dict[str, int] = {}
    for verdict in verdicts:
        invariant = verdict.invariant
        if verdict.finding.count and invariant.repair is not None:
            done[invariant.name] = invariant.repair()
            log.warning("invariant_repaired", invariant=invariant.name, rows=done[invariant.name])
    return done


def _named(name: str) -> Invariant:
    try:
        return _invariants[name]
    except KeyError:
        raise LookupError(f"unknown invariant {name!r}: expected one of {', '.join(_invariants)}") from None


def _longest_ago_first() -> list[Invariant]:
    checked = list(AuditResult.objects.order_by(F("checked_at").asc(nulls_first=True)).values_list("name", flat=True))
    place = {name: number for number, name in enumerate(checked)}
    return sorted(_invariants.values(), key=lambda invariant: place.get(invariant.name, -1))


def _store(verdict: Verdict) -> None:
    if verdict.error:
        found: dict[str, object] = {"error": verdict.error}
    else:
        found = {
            "checked_at": Now(),
            "count": verdict.finding.count,
            "examples": verdict.finding.examples,
            "seconds": verdict.seconds,
            "error": "",
        }
    AuditResult.objects.update_or_create(name=verdict.invariant.name, defaults=found)
