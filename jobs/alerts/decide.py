"""What a finding means for an alert: the whole law of states, cool-down and messages, without a database."""

from dataclasses import dataclass
from datetime import datetime

from jobs.alerts.models import Alert, AlertEvent

State = Alert.State
Event = AlertEvent.Kind


@dataclass(frozen=True, slots=True)
class Change:
    """A change to write down; `notify` says whether people are told."""

    event: Event
    state: State
    notify: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """An alert as an evaluator saw it."""

    state: str
    since: datetime
    #: Whether people know that it fires.
    announced: bool
    last_notified_at: datetime | None
    #: Whether they were last told so longer than a cool-down ago, or never.
    cooled: bool


def decide(seen: Seen, *, firing: bool) -> Change | None:
    """Return what has to change; None: nothing.

    Within a cool-down people hear of one firing and one recovery, however often it flaps; and a firing that they were
    not told of, for it began within a cool-down, is told once that is over.
    """
    if not firing:
        return Change(Event.RECOVERED, State.OK, notify=seen.announced) if seen.state == State.FIRING else None
    if seen.state == State.OK:
        return Change(Event.FIRED, State.FIRING, notify=seen.cooled)
    if not seen.cooled:
        return None
    return Change(Event.REMINDED if seen.announced else Event.FIRED, State.FIRING, notify=True)
