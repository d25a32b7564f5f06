"""Asking every rule. One that breaks keeps nobody from the others: about it, nothing is known."""

from collections.abc import Iterable
from dataclasses import dataclass

import structlog
from django.db import DatabaseError

from jobs.alerts.rules import AlertRule, Finding, all_rules
from jobs.clean import clean

log = structlog.get_logger(__name__)

#: Characters of a message, or of an error, that are kept.
MESSAGE_LENGTH = 1000

#: Rules that broke when this process asked them last: a rule that stays broken is logged once.
_broken: set[str] = set()


@dataclass(frozen=True, slots=True)
class Reading:
    """What a rule said; without a finding, `error` says why."""

    rule: AlertRule
    finding: Finding | None
    error: str = ""


def look(rules: Iterable[AlertRule] | None = None) -> list[Reading]:
    """Ask the rules, by default all of them; never raises."""
    return [_ask(rule) for rule in (all_rules() if rules is None else rules)]


def _ask(rule: AlertRule) -> Reading:
    try:
        found = rule.check(rule.threshold or 0.0)
        value = None if found.value is None else float(found.value)
        finding = Finding(bool(found.firing), value, clean(found.message)[:MESSAGE_LENGTH])
    except Exception as error:
        # A rule may be anybody's code. Whatever it raises is shown, and must not hide what the other rules see.
        if rule.name not in _broken:
            _broken.add(rule.name)
            # A database that is away breaks most rules at once, and needs no traceback.
            log.error(
                "rule_broken", rule=rule.name, error=clean(str(error)), exc_info=not isinstance(error, DatabaseError)
            )
        return Reading(rule, None, clean(f"{type(error).__name__}: {error}")[:MESSAGE_LENGTH])
    if rule.name in _broken:
        _broken.discard(rule.name)
        log.info("rule_mended", rule=rule.name)
    return Reading(rule, finding)
