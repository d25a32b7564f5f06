"""The rules that this installation knows. A rule is declared in one place: an `alert_rules.py` of any installed app.

from jobs.alerts.rules import AlertRule, Finding, Severity, register_rule

def postcards_pile_up(threshold: float) -> Finding:
    unsent = Postcard.objects.filter(sent_at=None).count()
    return Finding(unsent > threshold, unsent, f"{unsent} postcards are not sent.")

register_rule(
    AlertRule(
        name="unsent_postcards",
        title="Postcards pile up",
        check=postcards_pile_up,
        setting="ALERT_UNSENT_POSTCARDS",
        severity=Severity.WARNING,
        next_step="See why the printer is silent.",
    )
)
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from django.conf import settings
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext, gettext_noop

#: Between a number and its unit; they stay on one line.
_SPACE = "\N{NO-BREAK SPACE}"


class Severity(StrEnum):
    """How much it matters."""

    #: Something does not work, or soon will not.
    CRITICAL = gettext_noop("critical")
    #: Somebody should look at it today.
    WARNING = gettext_noop("warning")


class Unit(StrEnum):
    """What a rule's value and threshold count."""

    COUNT = ""
    SECONDS = gettext_noop("s")
    #: From 0 to 1, shown as a percentage.
    SHARE = "%"
    MEBIBYTES = gettext_noop("MiB")

    def show(self, value: float | None) -> str:
        """Return a value as a person reads it."""
        if value is None:
            return "-"
        if self is Unit.SHARE:
            return f"{100 * value:.1f}{_SPACE}%"
        return f"{value:,.0f}{_SPACE}{gettext(self)}".strip(_SPACE)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule's check found."""

    firing: bool
    #: What was measured, in the rule's unit.
    value: float | None
    #: How it stands, as a sentence for people. Never a secret.
    message: str


@dataclass(frozen=True, kw_only=True)
class AlertRule:
    """One thing that may be wrong."""

    #: Name in rows, API, metrics and messages, e.g. `dead_letters`.
    name: str
    #: What is wrong when it fires, in a few words.
    title: str
    #: Looks, given the threshold; cheap, for the leader calls it every few seconds. May raise: then nothing is known.
    check: Callable[[float], Finding]
    #: What to do when it fires, as a sentence.
    next_step: str
    severity: Severity = Severity.CRITICAL
    #: Name of the setting with the threshold; empty: there is none.
    setting: str = ""
    unit: Unit = Unit.COUNT
    #: Path of the page where the next step is done; empty when there is none. As it is, not by the name of the address:
    #: to look that up, a worker that sends an alert would have to load all pages.
    page: str = ""
    #: Whether it is asked anew whenever somebody reads: nobody evaluates it while it fires.
    live: bool = False
    #: The messages that the check gives, with `%(name)s` for what differs: what it said is stored in English, and by
    #: these it is shown in the reader's language.
    says: tuple[str, ...] = ()
    #: Whether it is about the host that asks. Hosts would contradict each other: with a leader, its word counts.
    local: bool = False

    @property
    def threshold(self) -> float | None:
        """The value beyond which it fires; None when it has no such value."""
        return float(getattr(settings, self.setting)) if self.setting else None

    def retold(self, message: str) -> str:
        """Return a message of its check in the reader's language; as it is when it is none that the rule declares."""
        for saying in self.says:
            found = _pattern(saying).fullmatch(message)
            if found:
                return gettext(saying) % found.groupdict()
        return message


@cache
def _pattern(saying: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"%\\\((\w+)\\\)s", r"(?P<\1>.+?)", re.escape(saying)), re.DOTALL)


_rules: dict[str, AlertRule] = {}


def register_rule(rule: AlertRule) -> AlertRule:
    """Make `rule` known. Names are unique: a second, different rule of one name is a mistake."""
    if _rules.setdefault(rule.name, rule) is not rule:
        raise ValueError(f"a rule named {rule.name!r} is already declared")
    return rule


def discover() -> None:
    """Import `alert_rules.py` of every installed app; called once when the apps are ready."""
    autodiscover_modules("alert_rules")


def all_rules() -> list[AlertRule]:
    """Return every rule, by name."""
    return [_rules[name] for name in sorted(_rules)]
