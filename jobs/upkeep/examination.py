"""What the doctor looks at. An app declares its own checks in a `doctor.py`:

register_check(Check("mail", look_at_mail))

where `look_at_mail` returns `ok("smtp.example.com answers")`, or `warning` or `problem` with what to do about it.
"""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import structlog

from jobs.clean import clean
from jobs.upkeep.bounded import bounded

log = structlog.get_logger(__name__)

#: Seconds that a statement of a check may take.
STATEMENT = 10.0
#: Checks that tell whether the database can be read: whatever needs one of them reads it.
_DATABASE = frozenset({"postgresql", "migrations"})


class State(StrEnum):
    """How bad it is."""

    OK = "ok"
    #: Works, but not as it should.
    WARNING = "warning"
    #: Does not work, or soon will not.
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What a check saw, and what to do about it. Holds no secret: `examine` cleans both texts."""

    state: State
    says: str
    todo: str = ""


def ok(says: str) -> Diagnosis:
    """Return that all is well, with what was seen."""
    return Diagnosis(State.OK, says)


def warning(says: str, todo: str) -> Diagnosis:
    """Return that something is not as it should be; `todo` is a sentence."""
    return Diagnosis(State.WARNING, says, todo)


def problem(says: str, todo: str) -> Diagnosis:
    """Return that something does not work; `todo` is a sentence."""
    return Diagnosis(State.PROBLEM, says, todo)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to look at."""

    name: str
    #: Looks, within a few seconds. What it raises is a problem of its own and stops no other check.
    look: Callable[[], Diagnosis]
    #: Checks without whose success this one can say nothing; whatever reads our tables names `migrations`.
    needs: tuple[str, ...] = ()
    #: Whether it costs something, and is only done when asked for.
    spends: bool = False


@dataclass(frozen=True, slots=True)
class Examined:
    """A check and what it saw."""

    check: Check
    diagnosis: Diagnosis
    #: Whether it was not looked at, because something that it needs has a problem.
    blocked: bool = False


_checks: dict[str, Check] = {}


def register_check(check: Check) -> Check:
    """Make a check known; names are unique, and checks are done in the order in which they were declared."""
    if _checks.setdefault(check.name, check) is not check:
        raise ValueError(f"a check named {check.name!r} is already declared")
    return check


def examine(*, spend: bool = False, on_examined: Callable[[Examined], object] = lambda found: None) -> list[Examined]:
    """Do all checks, those that cost something only with `spend`; never raises for what it looks at."""
    found: dict[str, Examined] = {}

    def visit(check: Check) -> None:
        if check.name in found or (check.spends and not spend):
            return
        for need in check.needs:
            visit(_checks[need])
        found[check.name] = _examined(check, [found[need] for need in check.needs])
        on_examined(found[check.name])

    for check in list(_checks.values()):
        visit(check)
    return list(found.values())


def _examined(check: Check, needed: Sequence[Examined]) -> Examined:
    """Look, unless something is missing without which there is nothing to see."""
    for need in needed:
        if need.blocked or need.diagnosis.state == State.PROBLEM:
            return Examined(check, warning("not looked at", f"Mend {need.check.name} first."), blocked=True)
    return Examined(check, _look(check))


def _look(check: Check) -> Diagnosis:
    try:
        with bounded(STATEMENT) if _DATABASE.intersection(check.needs) else contextlib.nullcontext():
            seen = check.look()
    except Exception as error:
        log.debug("check_failed", check=check.name, exc_info=True)
        seen = problem(f"could not be looked at: {type(error).__name__}: {error}", "LOG_LEVEL=DEBUG shows where.")
    return Diagnosis(seen.state, _line(seen.says), _line(seen.todo))


def _line(text: str) -> str:
    """Return a text without secrets, on one line."""
    return " ".join(clean(text).split())
