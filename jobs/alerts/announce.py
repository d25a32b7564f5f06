"""Writing a change down and having it delivered, in one transaction; and logging it once that is committed."""

from datetime import datetime

import structlog
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from jobs.actor import Actor
from jobs.alerts.channels import enabled_channels
from jobs.alerts.decide import Change, Seen
from jobs.alerts.models import Alert, AlertEvent
from jobs.alerts.names import DELIVER_ALERT
from jobs.alerts.rules import AlertRule, Finding, Severity
from jobs.enqueue import enqueue_many
from jobs.states import Source

log = structlog.get_logger(__name__)

#: Who asks for deliveries when no person does.
SYSTEM = Actor("alerts", Source.CRON)


def announce(rule: AlertRule, finding: Finding, change: Change, seen: Seen) -> AlertEvent | None:
    """Make `change` and have it delivered; None when the alert is not as it was `seen` any more: somebody was faster.

    Compare-and-swap: of all who saw the same, one changes the row. Raises `django.db.DatabaseError`; nothing was
    changed then, and nothing will be delivered.
    """
    told = change.notify and change.state == Alert.State.FIRING
    begins = change.state != seen.state
    with transaction.atomic():
        swapped = Alert.objects.filter(
            rule=rule.name,
            state=seen.state,
            since=seen.since,
            announced=seen.announced,
            last_notified_at=seen.last_notified_at,
        ).update(
            state=change.state,
            since=Now() if begins else F("since"),
            announced=told,
            last_notified_at=Now() if told else F("last_notified_at"),
        )
        if not swapped:
            return None
        event = AlertEvent.objects.create(
            rule=rule.name,
            kind=change.event,
            title=rule.title,
            severity=rule.severity,
            state=change.state,
            since=_wrong_since(rule, seen),
            value=finding.value,
            threshold=rule.threshold,
            message=finding.message,
            next_step=rule.next_step,
            path=rule.page,
            notified=change.notify,
        )
        if change.notify:
            _deliver(event, SYSTEM)
    _log(event)
    return event


def _wrong_since(rule: AlertRule, seen: Seen) -> datetime:
    """Return when it began to fire; a recovery, too, tells since when it had been wrong."""
    if seen.state == Alert.State.FIRING:
        return seen.since
    return Alert.objects.values_list("since", flat=True).get(rule=rule.name)


def send_test(actor: Actor) -> AlertEvent:
    """Send a message over every channel to see whether it arrives."""
    with transaction.atomic():
        event = AlertEvent.objects.create(
            rule="test",
            kind=AlertEvent.Kind.TEST,
            title="Test alert",
            severity=Severity.WARNING,
            state=Alert.State.OK,
            since=Now(),
            message=f"{actor.triggered_by} wanted to see whether alerts arrive. Nothing is wrong.",
            next_step="Nothing is to be done.",
            notified=True,
        )
        _deliver(event, actor)
    event.refresh_from_db()
    _log(event)
    return event


def _deliver(event: AlertEvent, actor: Actor) -> None:
    """Make one delivery for each channel that is switched on."""
    channels = enabled_channels()
    enqueue_many(
        DELIVER_ALERT,
        [f"{event.pk}:{channel.name}" for channel in channels],
        operation="create",
        priority="high",
        actor=actor,
        extras=[{"original_name": f"{event.title}: {event.kind}, by {channel.name}"} for channel in channels],
    )


def _log(event: AlertEvent) -> None:
    """Write the change to the log, which is always there."""
    bad = event.kind in (AlertEvent.Kind.FIRED, AlertEvent.Kind.REMINDED)
    write = log.error if bad else log.info
    write(
        f"alert_{event.kind}",
        rule=event.rule,
        severity=str(event.severity),
        value=event.value,
        threshold=event.threshold,
        message=event.message,
        notified=event.notified,
        channels=[channel.name for channel in enabled_channels()] if event.notified else [],
    )
