"""How every rule stands: shared by admin, API, metrics and command, so that no two places disagree."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext, gettext_noop

from jobs.alerts.look import look
from jobs.alerts.models import Alert
from jobs.alerts.rules import AlertRule, Finding, all_rules

#: Nothing is known: never checked, or the check broke while all was well.
UNKNOWN = gettext_noop("unknown")


@dataclass(frozen=True, slots=True)
class Standing:
    """A rule and what is known of it."""

    rule: AlertRule
    #: `ok`, `firing` or `unknown`. What fired when its check broke still fires.
    state: str
    #: Since when; None where nobody has written it down yet.
    since: datetime | None
    value: float | None
    message: str
    last_checked_at: datetime | None
    last_notified_at: datetime | None

    @property
    def firing(self) -> bool:
        """Whether something is wrong."""
        return self.state == Alert.State.FIRING


def standings(found: Mapping[str, Finding] | None = None) -> list[Standing]:
    """Return every rule by name, those that fire first; rules that are `live` are asked anew.

    What the caller has found this moment, by the names of rules, counts for these; nobody is asked about them.
    """
    rules = all_rules()
    rows = Alert.objects.in_bulk([rule.name for rule in rules])
    known = found or {}
    asked = look(rule for rule in rules if rule.live and rule.name not in known)
    found = {**{reading.rule.name: reading.finding for reading in asked if reading.finding}, **known}
    told = [standing(rule, rows.get(rule.name), found.get(rule.name)) for rule in rules]
    return sorted(told, key=lambda each: (not each.firing, each.rule.name))


def firing() -> list[Standing]:
    """Return the rules that fire now."""
    return [each for each in standings() if each.firing]


def standing(rule: AlertRule, row: Alert | None, found: Finding | None = None) -> Standing:
    """Return how a rule stands by its row, and by what was found this moment if it was asked."""
    state, since, value, message = UNKNOWN, None, None, gettext("Not checked yet.")
    if row is not None and row.last_checked_at is not None:
        state, since, value, message = row.state, row.since, row.value, row.message
        if row.error:
            state = row.state if row.state == Alert.State.FIRING else UNKNOWN
            message = gettext("Can't tell: %(error)s") % {"error": row.error}
    if found is not None:
        now = Alert.State.FIRING if found.firing else Alert.State.OK
        state, since, value, message = now, since if now == state else None, found.value, found.message
    return Standing(
        rule=rule,
        state=str(state),
        since=since,
        value=value,
        message=message,
        last_checked_at=row.last_checked_at if row else None,
        last_notified_at=row.last_notified_at if row else None,
    )


def ensure_rows(rules: Iterable[AlertRule] | None = None) -> None:
    """Give every rule its row, so that a list of rows is a list of rules."""
    names = [rule.name for rule in (all_rules() if rules is None else rules)]
    Alert.objects.bulk_create([Alert(rule=name) for name in names], ignore_conflicts=True)
