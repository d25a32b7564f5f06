"""What a message says, for every channel."""

from typing import Any

from django.conf import settings

from jobs.alerts.models import AlertEvent
from jobs.alerts.rules import Severity

#: The first word of a subject line.
_WORDS = {
    AlertEvent.Kind.FIRED: "Alert",
    AlertEvent.Kind.REMINDED: "Still firing",
    AlertEvent.Kind.RECOVERED: "Recovered",
    AlertEvent.Kind.TEST: "Test",
}


def link(event: AlertEvent) -> str:
    """Return the address of the page where the next step is done; empty without `PUBLIC_URL`, or without a page."""
    base = settings.PUBLIC_URL.rstrip("/")
    return f"{base}{event.path}" if base and event.path else ""


def payload(event: AlertEvent) -> dict[str, Any]:
    """Return an event as JSON: the body of a webhook."""
    told = {
        "type": f"alert.{event.kind}",
        "rule": event.rule,
        "title": event.title,
        "severity": event.severity,
        "state": event.state,
        "value": event.value,
        "threshold": event.threshold,
        "message": event.message,
        "next_step": event.next_step,
        "since": event.since.isoformat(),
        "at": event.at.isoformat(),
    }
    url = link(event)
    return {**told, "url": url} if url else told


def subject_line(event: AlertEvent) -> str:
    """Return an event in one line."""
    mark = "!" if event.severity == Severity.CRITICAL and event.kind == AlertEvent.Kind.FIRED else ""
    return " ".join(f"[Yellow Book] {_WORDS[AlertEvent.Kind(event.kind)]}{mark}: {event.title}".split())


def text(event: AlertEvent) -> str:
    """Return an event as a letter."""
    over = event.kind == AlertEvent.Kind.RECOVERED
    lines = [
        event.message,
        "" if over or not event.next_step else f"What to do: {event.next_step}",
        "",
        f"Rule:     {event.rule} ({event.severity})",
        f"{'Began:' if over else 'Since:'}    {event.since:%Y-%m-%d %H:%M:%S} UTC",
        f"{'Ended:' if over else 'Told:'}{' ' * (4 if over else 5)}{event.at:%Y-%m-%d %H:%M:%S} UTC",
        f"Page:     {link(event)}" if link(event) else "",
    ]
    return "\n".join(lines).rstrip() + "\n"
