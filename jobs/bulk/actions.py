"""What can be done to many rows at once. An action is declared in one place:

register(Action(name="retry_jobs", model=JobExecution, ...))

That gives it the page that asks first, the work in the background, its progress and its stop.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Model, QuerySet
from django.utils.translation import gettext_noop

from jobs.bulk.keyset import Keyset
from jobs.models import BulkAction

#: Called with the rows that were changed, in the transaction that changes them.
Written = Callable[[Sequence[Any]], object]


@dataclass(frozen=True, slots=True)
class Asked:
    """Who wants it, through which door, and why."""

    by: str
    source: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it, or would: rows changed, rows left alone by reason, and the kinds of job that wait since."""

    done: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    kinds: Mapping[str, int] = field(default_factory=dict)

    @property
    def skipped(self) -> int:
        """Rows that were left alone."""
        return sum(self.reasons.values())

    def __add__(self, other: "Outcome") -> "Outcome":
        return Outcome(
            self.done + other.done,
            dict(Counter(self.reasons) + Counter(other.reasons)),
            dict(Counter(self.kinds) + Counter(other.kinds)),
        )


@dataclass(frozen=True, kw_only=True)
class Words:
    """How people are told of an action: whole sentences, marked here and translated where they are shown."""

    #: What is done to what: titles and filters.
    title: str
    #: What the person chose: rows one by one (called with their number), or by filter, or all there are.
    selected: Callable[[int], str]
    matching: str
    every: str
    #: Rows that would be changed, and that were.
    outlook: str
    done: str
    #: The button, with the number of rows.
    button: str
    #: What has come of it.
    outcome: str
    #: What the person is asked for besides, and where the answer goes.
    note: str = gettext_noop("Why (kept in the log)")


@dataclass(frozen=True, kw_only=True)
class Action:
    """Something that people may do to many rows."""

    #: Stays the same for ever: rows, addresses and the API go by it.
    name: str
    model: type[Model]
    #: What was done to a row, as the admin's log says it.
    entry: str
    words: Words
    #: Who may: a permission.
    permission: str
    #: The order in which rows are gone through.
    keyset: Keyset
    #: Returns what would come of it now; changes nothing.
    outlook: Callable[[QuerySet[Any]], Outcome]
    #: Does it to the rows with these primary keys, in one transaction and whatever state each is in by now.
    apply: Callable[[Sequence[Any], Asked, Written | None], Outcome]
    #: Returns the state that a row was in before, for the log; empty where it goes without saying.
    was: Callable[[Any], str] = lambda row: ""
    #: Whether it makes work, so that people may want it slowly.
    paced: bool = False


_actions: dict[str, Action] = {}


class UnknownAction(LookupError):
    """There is no action of this name."""


def register(action: Action) -> Action:
    """Make an action known; names are unique."""
    if _actions.setdefault(action.name, action) is not action:
        raise ValueError(f"an action named {action.name!r} is already declared")
    return action


def get_action(name: str) -> Action:
    """Return the action called `name`; raises `UnknownAction`."""
    try:
        return _actions[name]
    except KeyError:
        raise UnknownAction(f"unknown action {name!r}: expected one of {', '.join(sorted(_actions))}") from None


def action_of(bulk: BulkAction) -> Action:
    """Return what a bulk action does; raises `UnknownAction`."""
    return get_action(bulk.action)


def all_actions() -> list[Action]:
    """Return every action, by name."""
    return [_actions[name] for name in sorted(_actions)]
